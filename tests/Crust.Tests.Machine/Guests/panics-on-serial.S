# Panics before it knows of pvpanic: Linux' words on the serial port are the only sign.
        .include "common.inc"
        begin
        line    "stub: installer started"
        line    "[    1.234567] Kernel panic - not syncing: stub"
        line    "[    1.234890] ---[ end Kernel panic - not syncing: stub ]---"
        idle
