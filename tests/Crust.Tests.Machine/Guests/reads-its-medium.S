# Reads the medium that it came from for three seconds, as a real installer does for minutes, says if that still is what it was,
# and installs either way.
        .include "common.inc"
        .include "disk.inc"
        .set    TICKS, 0x46c            # BIOS data area: 18.2 a second
        begin
        movb    %dl, medium
        line    "stub: installer started"
        movl    TICKS, %ebx
        addl    $55, %ebx
1:      movl    $16, packet + 8         # the primary volume descriptor
        movw    $1, packet + 2
        movw    $DATA, packet + 4
        movb    $0x42, %ah
        movb    medium, %dl
        movw    $packet, %si
        int     $0x13
        jc      changed
        cmpl    $0x30304443, DATA + 1   # "CD00"
        jne     changed
        cmpl    %ebx, TICKS
        jb      1b
        line    "stub: the medium is as it was"
        jmp     go_on
changed:
        line    "stub: the medium has changed"
go_on:  install
        power_off
medium: .byte   0
