#!/bin/bash
# The part of immucore that a live system and the first boot need.
check() { return 0; }
depends() { echo dmsquash-live; }
installkernel() { instmods loop ext4 squashfs isofs overlay vfat usb_storage uas sr_mod ahci virtio_blk virtio_scsi virtio_pci nvme; }
install() {
    inst_multiple losetup mount mkdir
    inst_hook pre-mount 10 "$moddir/mark-live.sh"
    inst_hook initqueue/settled 20 "$moddir/find-active.sh"
}
