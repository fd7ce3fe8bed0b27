# Writes to the serial port without end.
        .include "common.inc"
        begin
        line    "stub: installer started"
1:      line    "stub: the same line again and again, as fast as the serial port takes it"
        jmp     1b
