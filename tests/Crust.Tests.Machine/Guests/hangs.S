# Stops in the middle of its work and uses no processor time.
        .include "common.inc"
        begin
        line    "stub: installer started"
        line    "stub: hanging"
        idle
