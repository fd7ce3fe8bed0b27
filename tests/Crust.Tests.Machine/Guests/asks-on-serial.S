# Waits for an answer that never comes.
        .include "common.inc"
        begin
        line    "stub: installer started"
        say     "Install to /dev/vda? [y/N] "
        idle
