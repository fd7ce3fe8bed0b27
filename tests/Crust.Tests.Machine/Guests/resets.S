# Resets with nothing on the disk, each time it is booted.
        .include "common.inc"
        begin
        line    "stub: installer started"
        reset
