# Prints the files that Ignition's readers look for in QEMU's fw_cfg device (QEMU's docs/specs/fw_cfg), installs and powers off.
        .include "common.inc"
        .include "disk.inc"
        .set    FW_CFG_SELECT, 0x510
        .set    FW_CFG_DATA, 0x511
        .set    FW_CFG_FILE_DIR, 0x19
        .set    ENTRY_SIZE, 64          # size (4, big-endian), selector (2, big-endian), reserved (2), name (56)
        .set    ENTRY, 0x9000
        # All of it ends below DATA, which the partition's content is made at.

# Reads CX bytes of the selected item to DI.
        .macro  fetch
        movw    $FW_CFG_DATA, %dx
1:      inb     %dx, %al
        stosb
        loop    1b
        .endm

        begin
        line    "stub: installer started"
        movw    $coreos, %si
        call    show
        movw    $flatcar, %si
        call    show
        install
        power_off

# Prints the file whose name is at SI.
show:   movw    %si, wanted
        call    print
        line    ":"
        call    find
        line    "stub: end"
        ret

find:   movw    $FW_CFG_SELECT, %dx
        movw    $FW_CFG_FILE_DIR, %ax
        outw    %ax, %dx
        movw    $ENTRY, %di
        movw    $4, %cx
        fetch
        movw    ENTRY + 2, %bx          # how many there are: the lower half
        xchgb   %bl, %bh
next:   testw   %bx, %bx
        jz      none
        decw    %bx
        movw    $ENTRY, %di
        movw    $ENTRY_SIZE, %cx
        fetch
        movw    wanted, %si
        movw    $ENTRY + 8, %di
compare:
        lodsb
        scasb
        jne     next
        testb   %al, %al
        jnz     compare
        movw    ENTRY + 4, %ax
        xchgb   %al, %ah
        movw    $FW_CFG_SELECT, %dx
        outw    %ax, %dx
        movw    ENTRY + 2, %cx
        xchgb   %cl, %ch
        movw    $ENTRY, %di
        fetch
        movb    $0, (%di)
        movw    $ENTRY, %si
        call    print
none:   ret

wanted: .word   0
coreos: .asciz  "opt/com.coreos/config"
flatcar:
        .asciz  "opt/org.flatcar-linux/config"
