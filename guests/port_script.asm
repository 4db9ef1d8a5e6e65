; port_script: does what a list in memory says: uses ports, and waits for interrupts.
; mode: long
;
; The list is at 0x4000, 8 bytes an entry: what to do and port, 16 bits each, and a value of 32
; bits. 0 ends; 1, 2 and 3 write 1, 2 and 4 bytes; 4 and 5 read 1 and 4; 6 reads a byte until its
; bits that are set in the value's first byte are as in the second one; 7 waits for an interrupt
; of the PICs (vectors 0x20 to 0x2f), which needs the in-kernel irqchip.
; Host sees: the accesses; out of 1 byte to 0xf5 before HLT waits in the kernel, to 0xf4 at the
; end. The 32-bit cells from 0x2000 on hold what was read.

        bits    64
        org     0x1000
        mov     edi, 0x3000 + 0x20 * 16 ; IDT
gate:   mov     word [rdi], taken
        mov     [rdi + 2], cs
        mov     dword [rdi + 4], 0x8e00 ; interrupt gate present
        add     edi, 16
        cmp     edi, 0x3000 + 0x30 * 16
        jb      gate
        lidt    [rel idtr]
        mov     esi, 0x4000
        mov     edi, 0x2000
next:   movzx   ecx, word [rsi]
        mov     dx, [rsi + 2]
        mov     eax, [rsi + 4]
        mov     ebx, eax
        add     esi, 8
        movzx   ecx, word [actions + rcx * 2]
        jmp     rcx
out1:   out     dx, al
        jmp     next
out2:   out     dx, ax
        jmp     next
out4:   out     dx, eax
        jmp     next
until:  in      al, dx
        mov     cl, al
        and     cl, bl
        cmp     cl, bh
        jne     until
        jmp     byte_
in4:    in      eax, dx
        jmp     keep
in1:    in      al, dx
byte_:  movzx   eax, al
keep:   stosd
        jmp     next
await:  out     0xf5, al
        sti
        hlt                             ; until the next interrupt
awake:  cli
        jmp     next
taken:  mov     al, 0x20                ; ends the interrupt
        out     0xa0, al
        out     0x20, al
        mov     qword [rsp], awake      ; behind HLT: see interrupt_lines.asm
        iretq
end:    out     0xf4, al
actions: dw     end, out1, out2, out4, in1, in4, until, await
idtr:   dw      0x30 * 16 - 1, 0x3000, 0, 0, 0
