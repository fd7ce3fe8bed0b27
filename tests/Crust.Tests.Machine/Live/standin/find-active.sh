#!/bin/sh
image=$(getarg cos-img/filename=)
if [ -n "$image" ] && [ -e /dev/disk/by-label/COS_STATE ] && [ ! -e /run/initramfs/cos-state ]; then
    modprobe -q loop
    mkdir -p /run/initramfs/cos-state && mount -o rw /dev/disk/by-label/COS_STATE /run/initramfs/cos-state && losetup -f "/run/initramfs/cos-state$image"
fi
