# The installed system: a boot sector that comes up to a login prompt.
        .include "common.inc"
        begin
        line    "stub: booting from the disk"
        say     "stub login: "
        idle
