# Installs, then resets: an installer that reboots by itself when it is done.
        .include "common.inc"
        .include "disk.inc"
        begin
        line    "stub: installer started"
        install
        reset
