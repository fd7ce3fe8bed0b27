# Resets in the middle of its work once, and does the rest when booted again. It remembers on the disk's second sector.
        .include "common.inc"
        .include "disk.inc"
        begin
        line    "stub: installer started"
        disk    0x42, 1, 1, DATA
        cmpl    $MARK, DATA
        je      1f
        movl    $MARK, DATA
        disk    0x43, 1, 1, DATA
        line    "stub: half done, starting again"
        reset
1:      install
        power_off
        .set    MARK, 0x464c4148
