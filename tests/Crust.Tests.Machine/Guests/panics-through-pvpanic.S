# Tells the machine that it panicked, then hangs, as Linux does with panic=0.
        .include "common.inc"
        begin
        line    "stub: installer started"
        line    "stub: panicking through pvpanic"
        movw    $PVPANIC, %dx
        movb    $1, %al
        outb    %al, %dx
        idle
