# Waits for the host to name the job, in a machine that is booted for that, or restored from one that was saved while it waited here.
# Read by init. The host sends lines NAME=value and then `go`; some are for this file:
#   restored=1   the machine was restored: its clock is late, and its random numbers are those of every other one restored from the same state
#   time=N       seconds since 1970
#   disks=N      how many disks there are, or will be in a moment

word '{"ready":1}'
while IFS= read -r line <&8 && [ "$line" != go ]; do
    echo "$line" >>/run/crust/arguments
done
[ -f /run/crust/arguments ] || : >/run/crust/arguments

[ -z "$(argument time)" ] || date -u -s "@$(argument time)" >/dev/null

# TRIES COMMAND…: until the command succeeds, 20 ms between the tries.
until_true() {
    tries=$1
    shift
    until "$@"; do
        [ "$tries" -gt 0 ] || return 1
        tries=$((tries - 1))
        usleep 20000
    done
}

# The kernel's own sign that QEMU's generation ID has changed and all random numbers from here on are new (drivers/char/random.c).
is_reseeded() {
    dmesg | grep -q 'crng reseeded due to virtual machine fork'
}

has_disks() {
    [ "$(disks | wc -l)" -ge "$(argument disks)" ]
}

# Nothing is done without either: the host hears no hello, and boots an appliance.
if [ "$(argument restored)" = 1 ] && ! until_true 500 is_reseeded; then
    say "restored, but the kernel's random numbers are not new" && poweroff -f
fi
if [ -n "$(argument disks)" ]; then
    until_true 1500 has_disks || { say "a disk is missing" && poweroff -f; }
    # A disk's folder appears in /sys before its partitions are read: read them once more, this time to the end.
    for name in $(disks); do
        blockdev --rereadpt "/dev/$name" 2>/dev/null || :
    done
fi
