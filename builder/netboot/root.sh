#!/bin/sh
# Runs in an initramfs of initramfs-tools after the NFS root is mounted (scripts/nfs-bottom), on nodes that share one root. The root stays as it is on the server; what this node changes is kept in
# memory, and what has to outlive a restart on a disk of its own:
#
#   crust.netboot=overlay          asks for all of this
#   crust.state=LABEL=… or /dev/…  a disk of this node's with a file system: SSH host keys and the state of k3s are there
#   crust.state=nfs:SERVER:FOLDER  the same in a file of this node's on the server, FOLDER/disk.img, by a loop device: overlayfs can't lie on NFS itself
#   systemd.hostname=NAME systemd.machine_id=ID
#
# klibc's programs are all that there is for certain, so the rest runs in the root, whose /dev is this one's for as long as that takes.
[ "$1" != prereqs ] || exit 0
. /scripts/functions

mode= state= name= id=
for argument in $(cat /proc/cmdline); do
    case $argument in
    crust.netboot=*) mode=${argument#*=} ;;
    crust.state=*) state=${argument#*=} ;;
    systemd.hostname=*) name=${argument#*=} ;;
    systemd.machine_id=*) id=${argument#*=} ;;
    esac
done
[ "$mode" = overlay ] || exit 0

complain() {
    echo "crust-netboot: $1" >/dev/console
    echo "crust-netboot: $1" >/dev/kmsg
}

memory=/run/crust-netboot
mkdir -p $memory/root $memory/changes
modprobe -q overlay || insmod /crust/overlay.ko || panic "crust-netboot: the kernel has no overlayfs (CONFIG_OVERLAY_FS), so that nodes can't share a root"
mount -t tmpfs -o mode=0755,size=50% crust-netboot $memory/changes || panic "crust-netboot: there is no memory for this node's changes"
mkdir $memory/changes/upper $memory/changes/work
mount -o move "$rootmnt" $memory/root || panic "crust-netboot: the NFS root can't be moved"
mount -t overlay -o lowerdir=$memory/root,upperdir=$memory/changes/upper,workdir=$memory/changes/work crust-netboot "$rootmnt" || panic "crust-netboot: the overlay can't be mounted"

in_root() {
    chroot "$rootmnt" /bin/sh -c "$@"
}

mount -o bind /dev "$rootmnt/dev"
case $name in
'' | *[!A-Za-z0-9.-]*) ;;
*) in_root 'echo "$1" >/etc/hostname; printf "127.0.0.1 localhost\n127.0.1.1 %s\n::1 localhost ip6-localhost\n" "$1" >/etc/hosts' sh "$name" ;;
esac
[ -z "$id" ] || in_root 'rm -f /etc/machine-id; echo "$1" >/etc/machine-id; rm -f /var/lib/dbus/machine-id' sh "$id"
in_root 'rm -f /etc/ssh/ssh_host_* /var/lib/systemd/random-seed'

kept=
if [ -n "$state" ]; then
    mkdir -p $memory/state
    case $state in
    nfs:*)
        mkdir -p $memory/server
        device=/dev/none
        if nfsmount -o vers=3,nolock,rw "${state#nfs:}" $memory/server; then
            mount -o bind $memory/server "$rootmnt/mnt"
            device=$(in_root 'modprobe -q loop; losetup --find --show /mnt/disk.img') || device=/dev/none
            umount "$rootmnt/mnt"
        fi
        ;;
    LABEL=*) device=/dev/disk/by-label/${state#*=} ;;
    UUID=*) device=/dev/disk/by-uuid/${state#*=} ;;
    PARTUUID=*) device=/dev/disk/by-partuuid/${state#*=} ;;
    *) device=$state ;;
    esac
    waited=0
    while [ ! -b "$device" ] && [ "$device" != /dev/none ] && [ $waited -lt 30 ]; do
        sleep 1
        waited=$((waited + 1))
    done
    type=$(get_fstype "$device")
    modprobe -q "$type"
    if [ -b "$device" ] && mount -t "$type" "$device" $memory/state; then
        kept=$memory/state
    else
        case $state in
        nfs:*) complain "crust.state=$state can't be mounted: the server doesn't let this node write there, or has no disk.img there; run netboot switch, and exportfs -ra, on it" ;;
        *) complain "crust.state=$state can't be mounted: there is no such device, or no file system on it; make one: mkfs.ext4 -L NAME /dev/DISK" ;;
        esac
    fi
fi

keep() {
    mkdir -p "$kept/$1"
    in_root 'mkdir -p "$1"' sh "$2"
    mount -o bind "$kept/$1" "$rootmnt$2" || complain "$2 can't be kept on $state"
}

if [ -n "$kept" ]; then
    keep ssh /etc/ssh/crust-netboot
    keep rancher /var/lib/rancher
    keep node /etc/rancher/node
    keep kubelet /var/lib/kubelet
    in_root 'for key in /etc/ssh/crust-netboot/ssh_host_*; do [ ! -f "$key" ] || cp -p "$key" /etc/ssh/; done'
else
    # overlayfs, on which containerd unpacks images, can't lie on another overlayfs.
    for unit in k3s k3s-agent; do
        mkdir -p /run/systemd/system/$unit.service.d
        cat >/run/systemd/system/$unit.service.d/10-crust-netboot.conf <<UNIT
[Service]
ExecStartPre=/bin/sh -c 'echo "k3s has nowhere to keep its state: this node has its root over the network, where containerd can unpack no image. Give it a disk with a file system (netboot set state=LABEL=NAME) or a file on the server (netboot set state=file:8G)" >&2; exit 1'
Restart=no
UNIT
    done
fi

in_root 'command -v ssh-keygen >/dev/null || exit 0
    for type in ed25519 ecdsa; do
        [ -f /etc/ssh/ssh_host_${type}_key ] || ssh-keygen -q -t $type -N "" -C "$1" -f /etc/ssh/ssh_host_${type}_key
    done
    [ ! -d /etc/ssh/crust-netboot ] || cp -p /etc/ssh/ssh_host_* /etc/ssh/crust-netboot/' sh "${name:-node}"
umount "$rootmnt/dev"
exit 0
