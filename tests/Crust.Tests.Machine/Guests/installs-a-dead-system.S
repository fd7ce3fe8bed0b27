# Installs a system that never comes up, then powers off.
        .set    DEAD, 1
        .include "common.inc"
        .include "disk.inc"
        begin
        line    "stub: installer started"
        install
        power_off
