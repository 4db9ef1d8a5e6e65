; mmio: reads and writes of 1, 2, 4 and 8 bytes where the guest has no memory.
; mode: long
;
; In: rdi = the first address behind guest memory (a multiple of the page size),
; or 0 to leave the last step out.
; Host sees, in this order: writes of 0x11 (1 byte) to 0xd0000000, 0x2222 (2) to
; 0xd0000010, 0x44444444 (4) to 0xd0000020 and 0x8888888888888888 (8) to
; 0xd0000030; reads of 1, 2, 4 and 8 bytes there; one write of 0xddccbbaa across a
; page boundary, which comes as aa bb to 0xd0000ffe and cc dd to 0xd0001000; with
; rdi, the same number written to rdi - 2, of which aa bb lands in memory and
; cc dd comes as a write to rdi; HLT.
; What was read lies, zero-extended, in the 64-bit cells at 0x2000 ... 0x2018.

        bits    64
        org     0x1000

cells   equ     0x2000

        mov     ebx, 0xd0000000
        mov     byte [rbx], 0x11
        mov     word [rbx + 0x10], 0x2222
        mov     dword [rbx + 0x20], 0x44444444
        mov     rax, 0x8888888888888888
        mov     [rbx + 0x30], rax

        movzx   eax, byte [rbx]
        mov     [cells], rax
        movzx   eax, word [rbx + 0x10]
        mov     [cells + 8], rax
        mov     eax, [rbx + 0x20]
        mov     [cells + 0x10], rax
        mov     rax, [rbx + 0x30]
        mov     [cells + 0x18], rax

        mov     eax, 0xddccbbaa
        mov     [rbx + 0xffe], eax
        test    rdi, rdi
        jz      done
        mov     [rdi - 2], eax
done:   hlt
