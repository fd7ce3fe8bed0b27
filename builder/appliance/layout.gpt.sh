# The steps of `layout: gpt`: a GPT with a BIOS boot partition, an EFI system partition and the root; file systems; GRUB. Read by the jobs `install` and `layout`,
# after layout.sh.

# What differs between architectures: UEFI's and GRUB's names for them, and BIOS.
case $(uname -m) in
x86_64) bios=yes uefi=x64 grub=x86_64-efi ;;
aarch64) bios=no uefi=aa64 grub=arm64-efi ;;
*) fail "nothing can be put onto a disk for $(uname -m)" ;;
esac

# The root is number 3 with or without BIOS.
root_number=3

# DISK: partitions it. Number 1 is for GRUB under BIOS, 2 the EFI system partition, 3 the root.
partition() {
    wipe_disk "$1"
    first_part=
    [ $bios = no ] || first_part="--new=1:0:+1M --typecode=1:EF02 --change-name=1:bios --partition-guid=1:$(identity bios-partition)"
    must sgdisk "--disk-guid=$(identity disk)" $first_part --new=2:0:+128M --typecode=2:EF00 --change-name=2:efi "--partition-guid=2:$(identity efi-partition)" \
        --new=3:0:0 --typecode=3:8304 --change-name=3:root "--partition-guid=3:$(identity root-partition)" "/dev/$1"
    await_partitions "$1"
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

# What the job `layout` does by this layout: it looks at the root in $source, prepares in $target, an ext4 that is thrown away, what only the root's own programs can make, and
# takes that into $merged.

# The other partitions have 129 MiB; the rest is what alignment and the tables take.
others_take=137363456

has() {
    chroot $source /bin/sh -c "command -v $1" >/dev/null 2>&1
}

check_source() {
    has grub-mkconfig || fail "the root file system has no grub-mkconfig: install GRUB in it (Debian: grub2-common with grub-pc-bin, and shim-signed with grub-efi-amd64-signed)"
    with_bios=no
    [ $bios = no ] || ! has grub-install || [ ! -f $source/usr/lib/grub/i386-pc/kernel.img ] || with_bios=yes
    with_uefi=no
    [ ! -f "$source/usr/lib/shim/shim$uefi.efi.signed" ] || [ ! -f "$source/usr/lib/grub/$grub-signed/grub$uefi.efi.signed" ] || [ ! -d "$source/usr/lib/grub/$grub" ] || with_uefi=yes
    [ $with_bios$with_uefi != nono ] || fail "the root file system has no GRUB that boots: install grub-pc-bin for BIOS, and shim-signed, grub-efi-amd64-signed and grub-efi-amd64-bin for UEFI, in it"
    [ $with_bios = yes ] || [ $bios = no ] || warn "the disk won't boot under BIOS: the root file system has no GRUB for it (grub-pc-bin)"
    [ $with_uefi = yes ] || warn "the disk won't boot under UEFI: the root file system has no signed GRUB (shim-signed, grub-efi-amd64-signed, grub-efi-amd64-bin)"
}

# DISK
prepare() {
    make_file_systems $target
    for path in $source/* $source/.[!.]*; do
        name=${path##*/}
        case $name in
        dev | proc | sys | run | tmp | lost+found) mkdir -p "$target/$name" ;;
        boot | etc) must cp -a "$path" "$target/" ;;
        *)
            if [ -L "$path" ]; then
                must cp -a "$path" "$target/"
            elif [ -d "$path" ]; then
                mkdir -p "$target/$name"
                must mount -o bind "$path" "$target/$name"
            fi
            ;;
        esac
    done
    write_fstab $target
    mount_kernel $target
    if [ $with_bios = yes ]; then
        step 0.20 "making it boot under BIOS"
        boot_under_bios $target "$1"
    fi
    if [ $with_uefi = yes ]; then
        step 0.30 "making it boot under UEFI"
        boot_under_uefi $target "$epoch"
    fi

    step 0.35 "writing the boot menu"
    mkdir -p $target/boot/grub
    must chroot $target grub-mkconfig -o /boot/grub/grub.cfg
    check_menu $target
}

gather() {
    [ -d $merged/boot/efi ] || mkdir -p $merged/boot/efi
    must cp $target/etc/fstab $merged/etc/fstab
    rm -rf $merged/boot/grub
    must cp -a $target/boot/grub $merged/boot/grub
}

boots_on() {
    echo "under$([ $with_bios = no ] || echo ' BIOS')$([ $with_uefi = no ] || echo ' UEFI')"
}
