# The steps of putting a system onto an empty disk: a GPT with a BIOS boot partition, an EFI system partition and the root; file systems; GRUB. Read by the jobs
# `install` and `layout`.
#
# The host may give the disk's identities as arguments, so that the same system makes the same disk byte by byte; what it doesn't give is random.

# What differs between architectures: UEFI's and GRUB's names for them, and BIOS.
case $(uname -m) in
x86_64) bios=yes uefi=x64 grub=x86_64-efi ;;
aarch64) bios=no uefi=aa64 grub=arm64-efi ;;
*) fail "nothing can be put onto a disk for $(uname -m)" ;;
esac

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
    [ $bios = no ] || first_part="--new=1:0:+1M --typecode=1:EF02 --change-name=1:bios --partition-guid=1:$(identity bios-partition)"
    must sgdisk "--disk-guid=$(identity disk)" $first_part --new=2:0:+128M --typecode=2:EF00 --change-name=2:efi "--partition-guid=2:$(identity efi-partition)" \
        --new=3:0:0 --typecode=3:8304 --change-name=3:root "--partition-guid=3:$(identity root-partition)" "/dev/$1"
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

# MORE-OPTIONS…: an ext4 for the root.
make_root() {
    root_uuid=$(identity root)
    must mke2fs -q -F -t ext4 -L root -m 1 -U "$root_uuid" "$@" "${part}3"
}

# FOLDER: makes the file systems and mounts the root there. A crash before the end is a failed build anyway; so nothing is gained by ordering writes, and time is lost.
make_file_systems() {
    efi_serial=$(identity efi | cut -c 1-8)
    must mkfs.fat --invariant -F 32 -n EFI -i "$efi_serial" "${part}2"
    make_root
    modprobe -aq ext4 vfat || :
    must mount -t ext4 -o noatime,nobarrier,data=writeback,noinit_itable "${part}3" "$1"
}

# FOLDER: writes the fstab of the root there.
write_fstab() {
    mkdir -p "$1/boot/efi" "$1/etc"
    efi_uuid=$(blkid -p -o value -s UUID "${part}2")
    [ -n "$efi_uuid" ] || fail "the new EFI system partition has no UUID"
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

# FOLDER EPOCH: Debian's signed programs on the removable path, where any firmware looks, Secure Boot or not. The signed GRUB reads /EFI/debian/grub.cfg and nothing else.
# With an EPOCH, all there is dated so.
boot_under_uefi() {
    efi=$1/boot/efi
    loader=EFI/BOOT/BOOT$(echo $uefi | tr a-z A-Z).EFI
    mkdir -p "$efi" "$1/boot/grub/$grub"
    # As msdos, whose names are in capitals, folders and files have one time each. Folders keep that of their making in themselves, in steps of two seconds.
    type=vfat
    [ -z "${2:-}" ] || type=msdos
    modprobe -aq $type || :
    must mount -t $type -o umask=0077 "${part}2" "$efi"
    [ -z "${2:-}" ] || date -u -s "@$2" >/dev/null
    mkdir -p "$efi/EFI/BOOT" "$efi/EFI/debian"
    [ -z "${2:-}" ] || [ "$(date +%s)" -lt $(($2 + 2)) ] || fail "this machine is too slow to give the EFI system partition's folders one time"
    must cp "$1/usr/lib/shim/shim$uefi.efi.signed" "$efi/$loader"
    must cp "$1/usr/lib/shim/mm$uefi.efi.signed" "$efi/EFI/BOOT/mm$uefi.efi"
    must cp "$1/usr/lib/grub/$grub-signed/grub$uefi.efi.signed" "$efi/EFI/BOOT/grub$uefi.efi"
    cat >"$efi/EFI/debian/grub.cfg" <<END
search.fs_uuid $root_uuid root
set prefix=(\$root)/boot/grub
configfile \$prefix/grub.cfg
END
    for file in "$loader" EFI/BOOT/mm$uefi.efi EFI/BOOT/grub$uefi.efi EFI/debian/grub.cfg; do
        [ -s "$efi/$file" ] || fail "checking the result: /boot/efi/$file is missing"
    done
    [ -z "${2:-}" ] || find "$efi" -mindepth 1 -exec touch -d "@$2" {} +
    must umount "$efi"
    must cp "$1"/usr/lib/grub/$grub/*.mod "$1"/usr/lib/grub/$grub/*.lst "$1/boot/grub/$grub/"
}

# FOLDER: that the boot menu in the root there finds the root.
check_menu() {
    grep -q "root=UUID=$root_uuid" "$1/boot/grub/grub.cfg" || fail "the boot menu doesn't name the root file system; look whether /etc/default/grub disables UUIDs"
}

# FOLDER: unmounts the root there and what is mounted in it.
unmount_all() {
    sed -n "s|^[^ ]* \($1[^ ]*\) .*|\1|p" /proc/mounts | sed '1!G;h;$!d' | while IFS= read -r place; do
        must umount "$place"
    done
}

check_root() {
    must e2fsck -fn "${part}3"
    sync
}
