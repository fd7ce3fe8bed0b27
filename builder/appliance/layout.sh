# The steps of putting a system onto an empty disk: a GPT with a BIOS boot partition, an EFI system partition and the root; file systems; GRUB. Read by the job `layout`.

# What differs between architectures: UEFI's and GRUB's names for them, and BIOS.
case $(uname -m) in
x86_64) bios=yes uefi=x64 grub=x86_64-efi ;;
aarch64) bios=no uefi=aa64 grub=arm64-efi ;;
*) fail "nothing can be put onto a disk for $(uname -m)" ;;
esac

# DISK: sets part to what names of its partitions begin with.
name_partitions() {
    case $1 in
    *[0-9]) part=/dev/${1}p ;;
    *) part=/dev/$1 ;;
    esac
}

# DISK: partitions it. Number 1 is for GRUB under BIOS, 2 the EFI system partition, 3 the root.
partition() {
    name_partitions "$1"
    # What was there before must not show through: neither its signatures nor a second partition table at the end.
    for old in "$part"[0-9]*; do
        [ ! -b "$old" ] || must wipefs -qa "$old"
    done
    must wipefs -qa "/dev/$1"
    must sgdisk --zap-all "/dev/$1"
    # The root is number 3 with or without BIOS.
    first_part=
    [ $bios = no ] || first_part="--new=1:0:+1M --typecode=1:EF02 --change-name=1:bios"
    must sgdisk $first_part --new=2:0:+128M --typecode=2:EF00 --change-name=2:efi \
        --new=3:0:0 --typecode=3:8304 --change-name=3:root "/dev/$1"
    waited=0
    until [ -b "${part}3" ]; do
        [ $waited -lt 100 ] || fail "partitioning /dev/$1: the kernel doesn't show ${part}3"
        usleep 100000
        waited=$((waited + 1))
    done
    for new in "$part"[123]; do
        [ ! -b "$new" ] || must wipefs -qa "$new"
    done
}

# FOLDER: makes the file systems and mounts the root there. A crash before the end is a failed build anyway; so nothing is gained by ordering writes, and time is lost.
make_file_systems() {
    must mkfs.fat -F 32 -n EFI "${part}2"
    must mke2fs -q -F -t ext4 -L root -m 1 "${part}3"
    modprobe -aq ext4 vfat || :
    must mount -t ext4 -o noatime,nobarrier,data=writeback,noinit_itable "${part}3" "$1"
}

# FOLDER: mounts the EFI system partition in the root there, and writes its fstab.
write_fstab() {
    mkdir -p "$1/boot/efi" "$1/etc"
    must mount -t vfat -o umask=0077 "${part}2" "$1/boot/efi"
    root_uuid=$(blkid -p -o value -s UUID "${part}3")
    efi_uuid=$(blkid -p -o value -s UUID "${part}2")
    [ -n "$root_uuid" ] && [ -n "$efi_uuid" ] || fail "the new file systems have no UUID"
    cat >"$1/etc/fstab" <<END
UUID=$root_uuid /         ext4 defaults,errors=remount-ro 0 1
UUID=$efi_uuid                            /boot/efi vfat umask=0077                 0 1
END
}

# FOLDER: gives programs of the root there what they ask the kernel.
mount_kernel() {
    mkdir -p "$1/dev" "$1/proc" "$1/sys"
    for folder in dev proc sys; do must mount -o bind /$folder "$1/$folder"; done
    # Without udev nobody else makes this link, and update-grub would write root=/dev/… where it is missing.
    mkdir -p /dev/disk/by-uuid
    ln -sf "${part}3" "/dev/disk/by-uuid/$root_uuid"
}

# FOLDER DISK: GRUB for BIOS.
boot_under_bios() {
    must chroot "$1" grub-install --target=i386-pc --no-floppy "/dev/$2"
}

# FOLDER: Debian's signed programs on the removable path, where any firmware looks, Secure Boot or not. The signed GRUB
# reads /EFI/debian/grub.cfg and nothing else.
boot_under_uefi() {
    efi=$1/boot/efi/EFI
    loader=$efi/BOOT/BOOT$(echo $uefi | tr a-z A-Z).EFI
    mkdir -p "$efi/BOOT" "$efi/debian" "$1/boot/grub/$grub"
    must cp "$1/usr/lib/shim/shim$uefi.efi.signed" "$loader"
    must cp "$1/usr/lib/shim/mm$uefi.efi.signed" "$efi/BOOT/mm$uefi.efi"
    must cp "$1/usr/lib/grub/$grub-signed/grub$uefi.efi.signed" "$efi/BOOT/grub$uefi.efi"
    cat >"$efi/debian/grub.cfg" <<END
search.fs_uuid $root_uuid root
set prefix=(\$root)/boot/grub
configfile \$prefix/grub.cfg
END
    must cp "$1"/usr/lib/grub/$grub/*.mod "$1"/usr/lib/grub/$grub/*.lst "$1/boot/grub/$grub/"
}

# FOLDER: unmounts the root there and checks its file system.
unmount_all() {
    for folder in dev proc sys boot/efi ''; do must umount "$1/$folder"; done
    must e2fsck -fn "${part}3"
    sync
}
