# What jobs share that work on a disk's volumes: partitions, logical volumes and the file systems on them. Read by the jobs.
#
# The disk may be made to do harm. What is mounted is restricted, and no link in a root leads out of it: paths are resolved by busybox'
# shell from inside the root (in_root), whose programs are mounted over the root's /proc.

tools=/run/crust/tools
volumes=/run/crust/volumes
most_bytes=40000
most_volumes=64
mkdir -p $tools $volumes

# What every volume is mounted with, beside what its caller says.
restrict=,nosuid,nodev,noexec

# Places of a system at which parts of it are mounted, beside those that is_place knows.
more_places=

# KIND NUMBER: tells the host what comes in.
found() {
    word "{\"found\":\"$1\",\"at\":\"$2\",\"data\":\"$(head -c $most_bytes | base64 -w 0)\"}"
}

is_readable() {
    case $1 in
    ext2 | ext3 | ext4 | xfs | btrfs | vfat | squashfs) return 0 ;;
    *) return 1 ;;
    esac
}

# NUMBER KEY: what is known of a volume.
of() {
    while IFS= read -r line; do
        case $line in
        "$2"=*)
            printf '%s\n' "${line#*=}"
            break
            ;;
        esac
    done <"$volumes/$1"
}

# DEVICE LINE…: another volume, with what is known of it beside what blkid tells.
count=0
add_volume() {
    count=$((count + 1))
    device=$1
    shift
    {
        printf 'DEVICE=%s\n' "$device"
        printf '%s\n' "$@"
        blkid -p -o udev "$device" 2>/dev/null || :
    } >$volumes/$count
    found volume $count <$volumes/$count
}

# MOUNTPOINT NUMBER OPTIONS
mount_volume() {
    mount -t "$(of "$2" ID_FS_TYPE)" -o "$3$restrict" "$(of "$2" DEVICE)" "$1" 2>/run/crust/trouble
}

# PATH: whether a part of a system may be mounted there.
is_place() {
    case $1 in
    /boot | /home | /opt | /root | /srv | /tmp | /usr | /usr/local | /var | /var/cache | /var/lib | /var/log | /var/tmp) return 0 ;;
    *) return 1 ;;
    esac
}

# FOLDER: whether it is the root of a system, over whose /proc the tools can be mounted.
is_root() {
    [ -d "$1" ] && [ ! -L "$1" ] && [ -d "$1/etc" ] && [ ! -L "$1/etc" ] && [ -d "$1/proc" ] && [ ! -L "$1/proc" ]
}

# SECONDS FOLDER ARGUMENT…: busybox' shell in a root.
in_root() {
    seconds=$1
    root=$2
    shift 2
    timeout "$seconds" chroot "$root" /proc/sh "$@"
}

# SPEC: the number of the volume that fstab names so; nothing if there is none.
find_by_spec() {
    case $1 in
    UUID=* | LABEL=*) line=ID_FS_$1 ;;
    PARTUUID=*) line=ID_PART_ENTRY_UUID=${1#*=} ;;
    PARTLABEL=*) line=ID_PART_ENTRY_NAME=${1#*=} ;;
    /dev/disk/by-uuid/*) line=ID_FS_UUID=${1##*/} ;;
    /dev/disk/by-label/*) line=ID_FS_LABEL=${1##*/} ;;
    /dev/mapper/*) line=NAME=${1##*/} ;;
    /dev/*/*) line=NAME=$(echo "${1#/dev/}" | sed 's/-/--/g; s|/|-|') ;;
    /dev/*[0-9]) line=NUMBER=$(echo "$1" | sed 's/.*[^0-9]//') ;;
    *) return 0 ;;
    esac
    grep -liFx -e "$(echo "$line" | tr -d '"')" $volumes/* | head -n 1 | sed 's|.*/||'
}

# ROOT MODE: what else belongs to the system, as its fstab says. What has been mounted is written to /run/crust/parts.
mount_parts() {
    : >/run/crust/parts
    in_root 20 "$1" -c '[ ! -f /etc/fstab ] || /proc/head -c 16000 /etc/fstab' | grep '^[^#]' | head -n 100 >/run/crust/fstab || :
    while read -r spec place _ options _; do
        case " $more_places " in
        *" $place "*) ;;
        *) is_place "$place" || continue ;;
        esac
        part=$(find_by_spec "$spec")
        [ -n "$part" ] && is_readable "$(of "$part" ID_FS_TYPE)" || continue
        subvolume=$(echo "$options" | tr ',' '\n' | grep -x 'subvol=[A-Za-z0-9@_./-]*' || :)
        place=$(in_root 20 "$1" -c '/proc/readlink -f "$1"' sh "$place")
        if [ -n "$place" ] && mount_volume "$1$place" "$part" "$2${subvolume:+,$subvolume}"; then
            echo "$1$place" >>/run/crust/parts
        fi
    done </run/crust/fstab
}

# For roots: a shell and its programs that need no library.
make_tools() {
    must mount -t tmpfs tmpfs $tools
    must cp /usr/lib/busybox/busybox /crust/disk/* $tools/
    : >$tools/empty
    must $tools/busybox --install $tools
}

# DISK: all of its volumes, in count.
look_for_volumes() {
    for name in $(block_devices); do
        [ "$(disk_of "$name")" = "$1" ] && [ $count -lt $most_volumes ] || continue
        if [ -f "/sys/class/block/$name/partition" ]; then
            add_volume "/dev/$name" "SIZE=$(size_of "$name")" "NUMBER=$(first_line "/sys/class/block/$name/partition")"
        else
            add_volume "/dev/$name" "SIZE=$(size_of "$name")"
        fi
        # Where GRUB is on a GPT disk that boots under BIOS.
        [ "$(of $count ID_PART_ENTRY_TYPE)" != 21686148-6449-6e6f-744e-656564454649 ] || head -c 512 "/dev/$name" | found core $count
    done
    if grep -qx ID_FS_TYPE=LVM2_member $volumes/*; then
        step 0.05 "looking for logical volumes"
        modprobe dm-mod
        # There is no udev, so nobody else makes the devices.
        DM_DISABLE_UDEV=1 lvm vgchange -q -ay --noudevsync --config '
            devices { obtain_device_list_from_udev=0 external_device_info_source="none" use_devicesfile=0 }
            global { event_activation=0 use_lvmpolld=0 }
            activation { udev_sync=0 udev_rules=0 monitoring=0 }
            backup { backup=0 archive=0 }' || warn "not all logical volumes can be read: $(last_words)"
        for device in /sys/class/block/dm-*; do
            [ -d "$device" ] && [ $count -lt $most_volumes ] || continue
            add_volume "/dev/${device##*/}" "SIZE=$(size_of "${device##*/}")" "NAME=$(cat "$device/dm/name")"
        done
    fi
}
