# The steps of putting a system onto an empty disk that all layouts share: identities, the root's file system, mounts. Read by the jobs `install` and `layout`,
# which read a layout's own steps after it (layout.gpt.sh, layout.raspberry-pi.sh).
#
# The host may give the disk's identities as arguments, so that the same system makes the same disk byte by byte; what it doesn't give is random.

# NAME: the UUID that the host gives under that name, else a random one.
identity() {
    given=$(argument "$1")
    [ -n "$given" ] || given=$(first_line /proc/sys/kernel/random/uuid)
    echo "$given"
}

# DISK: sets part to what names of its partitions begin with.
name_partitions() {
    case $1 in
    *[0-9]) part=/dev/${1}p ;;
    *) part=/dev/$1 ;;
    esac
}

# DISK: takes away what was there before, which must not show through: neither its signatures nor a second partition table at the end.
wipe_disk() {
    name_partitions "$1"
    for old in "$part"[0-9]*; do
        [ ! -b "$old" ] || must wipefs -qa "$old"
    done
    must wipefs -qa "/dev/$1"
    must sgdisk --zap-all "/dev/$1"
}

# DISK: waits until the kernel shows the new partitions, and wipes them.
await_partitions() {
    waited=0
    until [ -b "$part$root_number" ]; do
        [ $waited -lt 100 ] || fail "partitioning /dev/$1: the kernel doesn't show $part$root_number"
        usleep 100000
        waited=$((waited + 1))
    done
    for new in "$part"[123]; do
        [ ! -b "$new" ] || must wipefs -qa "$new"
    done
}

# MORE-OPTIONS…: an ext4 for the root.
make_root() {
    root_uuid=$(identity root)
    must mke2fs -q -F -t ext4 -L root -m 1 -U "$root_uuid" "$@" "$part$root_number"
}

# FOLDER: gives programs of the root there what they ask the kernel.
mount_kernel() {
    mkdir -p "$1/dev" "$1/proc" "$1/sys"
    for folder in dev proc sys; do must mount -o bind /$folder "$1/$folder"; done
    # Without udev nobody else makes this link, and update-grub would write root=/dev/… where it is missing.
    mkdir -p /dev/disk/by-uuid
    ln -sf "$part$root_number" "/dev/disk/by-uuid/$root_uuid"
}

# FOLDER: unmounts the root there and what is mounted in it.
unmount_all() {
    sed -n "s|^[^ ]* \($1[^ ]*\) .*|\1|p" /proc/mounts | sed '1!G;h;$!d' | while IFS= read -r place; do
        must umount "$place"
    done
}

check_root() {
    must e2fsck -fn "$part$root_number"
    sync
}
