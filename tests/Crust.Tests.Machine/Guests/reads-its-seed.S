# The boot sector of a disk with a GPT whose seed partition is at sector 40: takes its name from meta-data there, as cloud-init does, and comes up to a
# login prompt with it. It has no more than the 440 bytes that a protective MBR leaves for code.
        .include "common.inc"
        .set    SEED, 40                # the partition's first sector
        .set    CHUNK, 32               # sectors at a time
        .set    LAST, 1920              # sectors in 960 KiB
        .set    DATA, 0x8000
        begin
        line    "stub: booting from the disk"
read:   movb    $0x42, %ah
        movb    $FIRST_DISK, %dl
        movw    $packet, %si
        int     $0x13
        jc      none
        movw    $DATA, %di
1:      cmpl    $0x61636f6c, (%di)      # "loca"
        jne     2f
        cmpl    $0x6f682d6c, 4(%di)     # "l-ho"
        je      found
2:      incw    %di
        cmpw    $DATA + CHUNK * 512, %di
        jb      1b
        addl    $CHUNK, packet + 8
        cmpl    $SEED + LAST, packet + 8
        jb      read
none:   line    "stub: there is no seed"
        idle
found:  addw    $16, %di                # behind "local-hostname: "
        movw    %di, %si
3:      incw    %di
        cmpb    $10, (%di)
        jne     3b
        movb    $0, (%di)
        call    print
        say     " login: "
        idle
        .pushsection .text, 3
        .balign 4
packet: .byte   16, 0                   # disk address packet: its size
        .word   CHUNK, DATA, 0          # sectors, offset and segment of the buffer
        .quad   SEED                    # first sector
        .popsection
