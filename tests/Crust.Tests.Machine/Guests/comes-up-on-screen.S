# A disk's boot sector: a system that comes up to a login prompt on its screen and says nothing on the serial port.
        .include "common.inc"
        begin
        movw    $prompt, %si
1:      lodsb
        testb   %al, %al
        jz      2f
        movb    $0x0e, %ah              # teletype output
        xorw    %bx, %bx
        int     $0x10
        jmp     1b
2:      idle
prompt: .asciz  "\r\nstub login: "
        .org    510
        .word   0xaa55
