# Powers off as if all were well, with nothing on the disk.
        .include "common.inc"
        begin
        line    "stub: installer started"
        power_off
