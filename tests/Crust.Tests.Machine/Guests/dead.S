# An installed system that never gets to a login prompt.
        .include "common.inc"
        begin
        line    "stub: booting from the disk"
        idle
