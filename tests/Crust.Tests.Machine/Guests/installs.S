# The installer as it should be: installs, then powers off.
        .include "common.inc"
        .include "disk.inc"
        begin
        line    "stub: installer started"
        install
        power_off
