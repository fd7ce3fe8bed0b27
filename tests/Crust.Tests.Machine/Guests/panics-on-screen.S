# Panics as a Linux does that has no console on the serial port.
        .include "common.inc"
        begin
        line    "stub: installer started"
        movw    $panic, %si
1:      lodsb
        testb   %al, %al
        jz      2f
        movb    $0x0e, %ah              # teletype output
        xorw    %bx, %bx
        int     $0x10
        jmp     1b
2:      idle
panic:  .asciz  "\r\n[    1.234567] Kernel panic - not syncing: stub\r\n"
