# The guest with which Crust finds out whether an accelerator works: a boot sector that takes one timer interrupt,
# enters 64-bit long mode with paging, computes with general and SSE registers, and tells QEMU's isa-debug-exit
# (iobase 0xf4, iosize 1) that it came to its end. Intel SDM volume 3A, sections 4.5 and 10.8.5.
#
# LongModeStub.cs holds these bytes; a test assembles this file and compares:
#   as --64 -o stub.o LongModeStub.S && ld -m elf_x86_64 -Ttext 0x7c00 --oformat binary -o stub.bin stub.o

        .set    DEBUG_EXIT, 0xf4        # QEMU exits with (value << 1) | 1
        .set    FINE, 0x31              # 99
        .set    MISCOMPUTED, 0x30       # 97

        .set    PML4, 0x1000
        .set    PDPT, 0x2000
        .set    PD, 0x3000
        .set    PRESENT_WRITABLE, 0x3
        .set    LARGE_PAGE, 0x80

        .set    CR0_PE_MP_PG, 0x80000003
        .set    CR0_EM, 0x4
        .set    CR4_PAE_OSFXSR, 0x220
        .set    EFER, 0xc0000080
        .set    EFER_LME, 0x100

        .set    EXPECTED, 0x80c20282bdba6fb0

        .globl  _start
        .code16
_start: ljmp    $0, $1f
1:      xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x7c00, %sp
        cld
        sti
        hlt                             # until the timer's next tick, at most 55 ms
        cli

        # Page tables: the first 2 MiB, mapped to themselves.
        movw    $PML4, %di
        movw    $0x3000 / 2, %cx
        rep stosw
        movw    $PDPT | PRESENT_WRITABLE, PML4
        movw    $PD | PRESENT_WRITABLE, PDPT
        movw    $LARGE_PAGE | PRESENT_WRITABLE, PD

        lgdt    gdt_pointer
        movl    $CR4_PAE_OSFXSR, %eax
        movl    %eax, %cr4
        movl    $PML4, %eax
        movl    %eax, %cr3
        movl    $EFER, %ecx
        rdmsr
        orl     $EFER_LME, %eax
        wrmsr
        movl    %cr0, %eax
        andl    $~CR0_EM, %eax
        orl     $CR0_PE_MP_PG, %eax
        movl    %eax, %cr0
        ljmp    $8, $long_mode

        .code64
long_mode:
        movl    $16, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss

        # 0x0123456789abcdef rotated and multiplied, added to itself in SSE2, compared with what it must be.
        movabsq $0x0123456789abcdef, %rax
        rolq    $36, %rax
        movabsq $0x9e3779b97f4a7c15, %r15
        imulq   %r15, %rax
        movq    %rax, %xmm1
        pxor    %xmm0, %xmm0
        paddq   %xmm1, %xmm0
        paddq   %xmm1, %xmm0
        movq    %xmm0, %rbx
        movabsq $EXPECTED, %rcx
        movb    $FINE, %al
        cmpq    %rcx, %rbx
        je      1f
        movb    $MISCOMPUTED, %al
1:      outb    %al, $DEBUG_EXIT
2:      hlt                             # not reached
        jmp     2b

        .balign 8
gdt:    .quad   0
        .quad   0x00209a0000000000      # 64-bit code
        .quad   0x0000920000000000      # data
gdt_pointer:
        .word   gdt_pointer - gdt - 1
        .long   gdt

        .org    _start + 510
        .word   0xaa55
