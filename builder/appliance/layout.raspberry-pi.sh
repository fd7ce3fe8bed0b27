# The steps of `layout: raspberry-pi`: an MBR, whose disk id names the partitions (PARTUUID); a FAT32 boot partition with what the firmware of a Raspberry Pi 4 or 5 asks for
# ("config.txt" and "Raspberry Pi boot modes" in Raspberry Pi's documentation); the root. Read by the job `layout`, after layout.sh. No program of the root's runs.
#
# mtools fills the FAT: the kernel's vfat would note when each entry was made.

boot_number=1
root_number=2

# As pi-gen has it: SD cards erase by blocks of up to 4 MiB.
alignment=$((8 << 20))
boot_size=$((512 << 20))
others_take=$((alignment + boot_size))
# What FAT32 takes of the boot partition, with a cluster's rest for each file.
fat_takes=$((4 << 20))

# UUID: its first four bytes. An MBR's disk id of 0 means that it has none.
first_bytes() {
    bytes=$(echo "$1" | cut -c 1-8)
    [ "$bytes" != 00000000 ] || bytes=00000001
    echo "$bytes"
}

# FILE…: bytes of all of them that are there.
bytes_of() {
    sum=0
    for file in "$@"; do
        [ ! -f "$file" ] || sum=$((sum + $(stat -c %s "$file")))
    done
    echo $sum
}

# The newest kernel, by its version, where its device trees are, and the firmware. A link could lead out of the root: none is followed.
find_boot_files() {
    release=$(for file in $source/boot/vmlinuz-*; do [ ! -f "$file" ] || echo "${file##*/vmlinuz-}"; done | sort -V | tail -n 1)
    [ -n "$release" ] || fail "the root file system has no kernel /boot/vmlinuz-VERSION: a Raspberry Pi's config.txt names the kernel"
    kernel=$source/boot/vmlinuz-$release
    initramfs=$source/boot/initrd.img-$release
    trees=
    for folder in "usr/lib/modules/$release/dtb/broadcom" "lib/modules/$release/dtb/broadcom" "usr/lib/linux-image-$release/broadcom" "usr/lib/firmware/$release/device-tree/broadcom"; do
        [ -n "$trees" ] || [ -L "$source/${folder%/broadcom}" ] || [ ! -d "$source/$folder" ] || trees=$source/$folder
    done
    firmware=
    for folder in usr/lib/raspi-firmware boot/firmware; do
        [ -n "$firmware" ] || [ ! -f "$source/$folder/start4.elf" ] || firmware=$source/$folder
    done
}

check_source() {
    find_boot_files
    [ -f "$initramfs" ] || fail "the kernel $release has no initramfs (/boot/initrd.img-$release): install initramfs-tools, whose modules reach the root on SD, USB and NVMe"
    [ -n "$trees" ] || fail "the kernel $release has no device trees: without one a Raspberry Pi doesn't start; install the kernel for Debian's arm64"
    pi4=no
    [ ! -f "$trees/bcm2711-rpi-4-b.dtb" ] || [ ! -f "$firmware/start4.elf" ] || [ ! -f "$firmware/fixup4.dat" ] || pi4=yes
    pi5=no
    [ ! -f "$trees/bcm2712-rpi-5-b.dtb" ] || pi5=yes
    [ $pi4$pi5 != nono ] || fail "the disk would boot on no Raspberry Pi: it takes bcm2711-rpi-4-b.dtb with start4.elf and fixup4.dat (raspi-firmware, in Debian's non-free-firmware), or bcm2712-rpi-5-b.dtb"
    [ $pi4 = yes ] || warn "the disk won't boot on a Pi 4: $([ -f "$firmware/start4.elf" ] && echo "the kernel $release has no bcm2711-rpi-4-b.dtb" || echo "start4.elf and fixup4.dat are missing; install raspi-firmware, from Debian's non-free-firmware")"
    [ $pi5 = yes ] || warn "the disk won't boot on a Pi 5: missing DTB for Pi 5 (bcm2712-rpi-5-b.dtb); the kernel $release is too old: take Debian's from trixie-backports (6.18 or newer)"

    one_kernel=$(bytes_of "$kernel" "$initramfs" "$trees"/bcm*.dtb)
    all=$((one_kernel + $(bytes_of "$firmware"/*.elf "$firmware"/*.dat "$firmware"/*.bin "$firmware"/overlays/*)))
    room=$((boot_size - fat_takes))
    [ $all -le $room ] || fail "the kernel doesn't fit onto the boot partition: $release with its initramfs, device trees and firmware has $(human $all), and $(human $room) are there; leave modules out of the initramfs (MODULES=list)"
    [ $((all + one_kernel)) -le $room ] || warn "the boot partition is too small for a second kernel like $release, so that a newer one can't be tried beside it"
}

# DISK
partition() {
    disk_id=$(first_bytes "$(identity disk)")
    wipe_disk "$1"
    must sfdisk --quiet --wipe never "/dev/$1" <<END
label: dos
label-id: 0x$disk_id
unit: sectors

start=$((alignment / 512)), size=$((boot_size / 512)), type=c
start=$((others_take / 512)), type=83
END
    await_partitions "$1"
}

# ARGUMENT…: mtools on the boot partition; what it makes is dated by the epoch, what it copies by the copied.
fat() {
    program=$1
    shift
    TZ=UTC SOURCE_DATE_EPOCH="$epoch" MTOOLS_SKIP_CHECK=1 mtools -c "$program" -i "$part$boot_number" "$@"
}

# FILE NAME: puts a file there.
boot_file() {
    [ ! -f "$1" ] || must fat mcopy -Q -m "$1" "::$2"
}

# config.txt, which the firmware reads. The package's own hook writes the same on the machine, from /etc/default/raspi-firmware.
write_config() {
    cat <<END
# Read by the Raspberry Pi's firmware. docs/raspberry-pi.md of Crust says what changes it later.
arm_64bit=1
enable_uart=1
upstream_kernel=1

kernel=vmlinuz-$release
initramfs initrd.img-$release
END
}

# Debian's kernels need no flag for k3s' cgroups. To Raspberry Pi's own the firmware passes cgroup_disable=memory.
write_command_line() {
    flags=
    case $release in
    *-rpi | *-rpi-* | *-v8* | *-raspi | *-2712) flags=' cgroup_memory=1 cgroup_enable=memory' ;;
    esac
    echo "console=tty0 console=ttyAMA10,115200 console=ttyS1,115200 root=PARTUUID=$disk_id-0$root_number rw rootwait fsck.repair=yes net.ifnames=0$flags"
}

# DISK
prepare() {
    name=$(basename "$part$boot_number")
    must mkfs.fat --invariant -F 32 -n BOOTFS -i "$(first_bytes "$(identity boot)")" "/dev/$name"
    must mkdir -p /run/crust/boot
    write_config >/run/crust/boot/config.txt
    write_command_line >/run/crust/boot/cmdline.txt
    must touch -d "@$epoch" /run/crust/boot/*
    step 0.15 "filling the boot partition"
    for file in "$firmware"/*.elf "$firmware"/*.dat "$firmware"/*.bin "$trees"/bcm*.dtb; do
        boot_file "$file" "${file##*/}"
    done
    if [ -n "$firmware" ] && [ -d "$firmware/overlays" ]; then
        must fat mmd ::overlays
        for file in "$firmware"/overlays/*; do
            boot_file "$file" "overlays/${file##*/}"
        done
    fi
    boot_file "$kernel" "vmlinuz-$release"
    boot_file "$initramfs" "initrd.img-$release"
    boot_file /run/crust/boot/cmdline.txt cmdline.txt
    # The last, as whoever writes it on a running machine has to.
    boot_file /run/crust/boot/config.txt config.txt
    fat mdir -b :: >/run/crust/boot/listing || fail "reading the boot partition failed: $(last_words)"
    for file in config.txt cmdline.txt "vmlinuz-$release" "initrd.img-$release"; do
        grep -qix "::/$file" /run/crust/boot/listing || fail "checking the result: $file is missing on the boot partition"
    done
}

gather() {
    rm -rf $merged/boot/firmware
    must mkdir -p $merged/boot/firmware $merged/etc/default
    cat >$merged/etc/fstab <<END
PARTUUID=$disk_id-0$root_number /              ext4 defaults,noatime,errors=remount-ro 0 1
PARTUUID=$disk_id-0$boot_number /boot/firmware vfat defaults,umask=0077                0 2
END
    # What isn't set here, the package's hook guesses: in a build from the host that builds, and cma=64M, which its own comments say can stop a Pi 4. It reads this file before it
    # writes anything, in its own shell. It would truncate config.txt and cmdline.txt and write them anew, without sync and without a way back; so where pi-kernel does that, it ends.
    cat >$merged/etc/default/raspi-firmware <<END
ROOTPART="PARTUUID=$disk_id-0$root_number"
CONSOLES="tty0 ttyAMA10,115200 ttyS1,115200"
CMA=0
[ ! -x /usr/lib/crust/pi-kernel ] || exit 0
END
}

boots_on() {
    echo "on$([ $pi4 = no ] || echo ' Raspberry Pi 4')$([ $pi4$pi5 != yesyes ] || echo ' and')$([ $pi5 = no ] || echo ' Raspberry Pi 5')"
}
