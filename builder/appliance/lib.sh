# What the appliance's jobs share. Read by init and by each job; plain POSIX sh,
# run by dash: busybox' own shell would take its applets where the real programs are meant.
#
# A job says what it does with `step FRACTION WORDS`, warns with `warn`, gives up with `fail SENTENCE`, and ends
# with `finish HOW SENTENCE` (HOW: poweroff, reboot or wait). Everything goes to the screen, to the serial port and, as
# one JSON object a line, to the host's port if there is one. What a job's programs print goes to /run/crust/output.

# Emulated, a program costs 10 to 20 ms until it runs, which is most of what a short job takes. So what is called often uses the shell's own means.

# The first line of a file.
first_line() {
    line=
    IFS= read -r line <"$1" || :
    printf '%s\n' "$line"
}

# The value of NAME=value on the kernel's command line, of several the last; empty if it isn't there.
kernel_argument() {
    value=
    for argument in $(first_line /proc/cmdline); do
        case $argument in
        "$1"=*) value=${argument#*=} ;;
        esac
    done
    printf '%s\n' "$value"
}

# What the job is given as NAME=value: by the host over its port, else by the kernel's command line (crust.NAME=value).
argument() {
    if [ -f /run/crust/arguments ]; then
        value=
        while IFS= read -r line; do
            case $line in
            "$1"=*) value=${line#*=} ;;
            esac
        done </run/crust/arguments
        printf '%s\n' "$value"
    else
        kernel_argument "crust.$1"
    fi
}

# One line to every console that the kernel uses. /dev/console alone would be just the last of them.
say() {
    for console in $(first_line /sys/class/tty/console/active); do
        printf 'crust: %s\n' "$*" 2>/dev/null >"/dev/$console" || :
    done
}

# A text as a JSON string. Control characters have no place in a sentence: they become blanks.
json() {
    case $1 in
    *[![:print:]]* | *\\* | *\"*) printf '"%s"' "$(printf '%s' "$1" | tr '\000-\037\177' ' ' | sed 's/[\\"]/\\&/g')" ;;
    *) printf '"%s"' "$1" ;;
    esac
}

# Opens the way to the host: the virtio-serial port org.crust.word, as file descriptor 8; it can be opened only once. A process of its
# own writes to it, since a write blocks for as long as nobody listens at the other end, and that must not stop a job.
word_open() {
    port=
    for name in /sys/class/virtio-ports/*/name; do
        if [ -f "$name" ] && [ "$(cat "$name")" = org.crust.word ]; then
            port=/dev/$(basename "${name%/name}")
        fi
    done
    if [ -n "$port" ]; then
        mkfifo /run/crust/word
        exec 8<>"$port"
        { cat </run/crust/word >&8 && touch /run/crust/word.closed; } &
        # Held open for reading too, so that a word never waits for a reader, and the reader sees no end before word_close.
        exec 9<>/run/crust/word
    fi
}

word() {
    if [ -p /run/crust/word ]; then
        printf '%s\n' "$1" >/run/crust/word
    fi
}

# Waits until the host has all words, at most five seconds.
word_close() {
    if [ -p /run/crust/word ]; then
        exec 9>&-
        waited=0
        until [ -f /run/crust/word.closed ] || [ $waited -ge 250 ]; do
            usleep 20000
            waited=$((waited + 1))
        done
    fi
}

progress() {
    word "{\"progress\":$1,\"detail\":$(json "$2")}"
}

# A fraction between 0 and 1, with a point and two digits or more, as a whole number of three columns.
percent() {
    digits=${1#*.}00
    [ "$digits" != "${1}00" ] || digits=00
    digits=${digits%"${digits#??}"}
    case $1 in
    1 | 1.*) printf '100' ;;
    *) printf '%3d' "${digits#0}" ;;
    esac
}

# A step begins: said everywhere, and remembered for the message if it fails.
step() {
    echo "$2" >/run/crust/step
    printf '\n== %s\n' "$2"
    uptime=$(first_line /proc/uptime)
    say "$(percent "$1")% $2 (${uptime%%.*} s)"
    progress "$1" "$2"
}

warn() {
    say "warning: $1"
    word "{\"warning\":$(json "$1")}"
}

# The last line that a step's programs printed.
last_words() {
    tail -n 20 /run/crust/output 2>/dev/null | tr '\r' '\n' | grep -v '^ *$' | grep -v '^== ' | tail -n 1
}

say_failure() {
    say "failed: $1"
    word "{\"failed\":$(json "$1")}"
}

# Ends a job that can't go on.
fail() {
    echo "$1" >/run/crust/failed
    exit 1
}

# Put in front of a step's command: what it prints last becomes the reason why the job failed.
must() {
    "$@" && return 0
    status=$?
    fail "$(cat /run/crust/step): $1 failed with $status: $(last_words)"
}

# Ends a job well.
finish() {
    echo "$1" >/run/crust/end
    echo "$2" >/run/crust/done
    exit 0
}

# Asks on all consoles, and prints the first line that somebody types on any of them.
ask() {
    say "$1"
    word "{\"warning\":$(json "waiting for an answer at the console: $1")}"
    [ -p /run/crust/answer ] || mkfifo /run/crust/answer
    readers=
    for console in $(cat /sys/class/tty/console/active); do
        (exec head -n 1 <"/dev/$console" >/run/crust/answer) 2>/dev/null &
        readers="$readers $!"
    done
    head -n 1 /run/crust/answer
    kill $readers 2>/dev/null || :
}

# Waits for Enter on any console.
wait_for_enter() {
    ask "press Enter to power off" >/dev/null
}

# All block devices that may carry data, disks and partitions: names without /dev/.
block_devices() {
    for device in /sys/class/block/*; do
        name=${device##*/}
        case $name in
        loop* | ram* | zram* | dm-* | fd* | nbd*) ;;
        *) [ "$(first_line "$device/size")" = 0 ] || echo "$name" ;;
        esac
    done
}

# The disk that a partition is on; a disk is on itself.
disk_of() {
    if [ -f "/sys/class/block/$1/partition" ]; then
        for disk in /sys/class/block/*/"$1"; do
            disk=${disk%/*}
            echo "${disk##*/}"
        done
    else
        echo "$1"
    fi
}

# Disks that can be written, whole ones: neither CD, nor boot area of an eMMC, nor write-protected.
disks() {
    for name in $(block_devices); do
        case $name in
        sr* | mmcblk*boot*) ;;
        *) [ -f "/sys/class/block/$name/partition" ] || [ "$(first_line "/sys/class/block/$name/ro")" = 1 ] || echo "$name" ;;
        esac
    done
}

# WHAT: the disk that can only be read, on which the host has put what the job needs. It may be plugged in a moment later.
read_only_disk() {
    waited=0
    while [ $waited -lt 1500 ]; do
        for name in $(block_devices); do
            case $name in
            sr*) ;;
            *) [ "$(first_line "/sys/class/block/$name/ro")" = 0 ] || { echo "$name" && return 0; } ;;
            esac
        done
        usleep 20000
        waited=$((waited + 1))
    done
    fail "the disk with $1 is missing"
}

# The largest of the disks whose names come in; of equals the first.
largest() {
    best=
    while read -r name; do
        if [ -z "$best" ] || [ "$(size_of "$name")" -gt "$(size_of "$best")" ]; then
            best=$name
        fi
    done
    echo "$best"
}

# The disk's serial number; empty if it has none.
serial_of() {
    device=/sys/class/block/$1
    if [ -f "$device/serial" ]; then
        cat "$device/serial"
    elif [ -f "$device/device/serial" ]; then
        cat "$device/device/serial"
    elif [ -f "$device/device/vpd_pg80" ]; then
        # SCSI's page "unit serial number", which ATA disks have too: four bytes of header, then text.
        tail -c +5 "$device/device/vpd_pg80"
    fi 2>/dev/null | tr -d '\000' | sed 's/^ *//; s/ *$//'
}

# The device's size in bytes.
size_of() {
    echo $(($(first_line "/sys/class/block/$1/size") * 512))
}

# The first device whose volume has one of the labels in $2 (separated by blanks) and one of the types in $1.
find_volume() {
    for name in $(block_devices); do
        found=$(blkid -p -o export "/dev/$name" 2>/dev/null) || continue
        type=$(echo "$found" | sed -n 's/^TYPE=//p')
        label=$(echo "$found" | sed -n 's/^LABEL=//p')
        for wanted in $2; do
            case " $1 " in
            *" $type "*) [ "$label" != "$wanted" ] || { echo "$name" && return 0; } ;;
            esac
        done
    done
    return 1
}

# The same, with time for devices that come late: USB needs some seconds. $3: how many to wait at most.
await_volume() {
    waited=0
    until find_volume "$1" "$2"; do
        [ $waited -lt "$3" ] || return 1
        sleep 1
        waited=$((waited + 1))
    done
}

# Bytes for people.
human() {
    awk "BEGIN { if ($1 < 1073741824) printf \"%.1f MiB\", $1 / 1048576; else printf \"%.1f GiB\", $1 / 1073741824 }"
}

# The other way: 100G as bytes, with the units that a spec has.
bytes() {
    number=${1%[KMGT]}
    case $number in
    '' | *[!0-9]*) return 1 ;;
    esac
    case $1 in
    *K) echo $((number << 10)) ;;
    *M) echo $((number << 20)) ;;
    *G) echo $((number << 30)) ;;
    *T) echo $((number << 40)) ;;
    *) echo "$number" ;;
    esac
}
