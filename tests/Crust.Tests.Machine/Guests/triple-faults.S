# Crashes its processor: no exception has a handler, not even a fault while another is delivered. Hardware resets then.
        .include "common.inc"
        begin
        line    "stub: installer started"
        cli
        lidt    none
        int3
        idle
none:   .word   0                       # limit
        .long   0                       # base
