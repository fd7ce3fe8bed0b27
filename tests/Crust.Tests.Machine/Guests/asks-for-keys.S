# Asks on its screen alone for a line that ends with Enter, and for F10, then installs. It reads the keyboard through the BIOS, as
# boot menus do, and starts anew after each wrong key: whoever types too fast never gets through. It must end below DATA, at 1 KiB.
        .include "common.inc"
        .include "disk.inc"
        begin
        line    "stub: installer started"
        movw    $prompt, %si
1:      lodsb
        testb   %al, %al
        jz      again
        movb    $0x0e, %ah              # teletype output
        xorw    %bx, %bx
        int     $0x10
        jmp     1b
again:  movw    $wanted, %di
2:      xorw    %ax, %ax                # waits for a key: its scan code in AH, its character in AL
        int     $0x16
        cmpb    (%di), %al
        jne     wrong
        incw    %di
        cmpb    $0, (%di)
        jne     2b
        xorw    %ax, %ax
        int     $0x16
        cmpw    $0x4400, %ax            # F10
        jne     wrong
        line    "stub: keys are right"
        install
        power_off
wrong:  line    "stub: a wrong key"
        jmp     again
prompt: .asciz  "A line, then F10: "
wanted: .ascii  "linux /vmlinuz root=LABEL=\"x_y\" ip=::1:{2} -- A?B < c > 50%$3 'q' \\ ~ ^ & * ( ) + |"
        .byte   13, 0
