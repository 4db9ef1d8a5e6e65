; interrupt_lines: reports each interrupt of the PICs, of the I/O APIC and by message.
; mode: long
;
; Needs the in-kernel irqchip. The PICs' lines are vectors 0x20 to 0x2f, none masked;
; vectors 0x30 to 0x3f are the local APIC's.
; Host sees: out of 1 byte to 0xf5 before each HLT, which waits in the kernel; at each
; interrupt, out of its vector (1 byte) to 0xf4, before the end of interrupt.

        bits    64
        org     0x1000

idt     equ     0x3000
report  equ     0xf4
waits   equ     0xf5
apic    equ     0xfee00000

        mov     edi, idt + 0x20 * 16
        mov     eax, stubs
gate:   mov     [rdi], ax
        mov     [rdi + 2], cs
        mov     dword [rdi + 4], 0x8e00         ; interrupt gate present
        add     eax, 7                  ; bytes of a stub
        add     edi, 16
        cmp     edi, idt + 0x40 * 16
        jb      gate
        lidt    [rel idtr]
        mov     esi, setup
send:   lodsw
        movzx   edx, al
        mov     al, ah
        out     dx, al
        cmp     esi, stubs
        jb      send
        mov     ebx, apic
        mov     dword [rbx + 0xf0], 0x1ff       ; spurious vector and software enable
idle:   out     waits, al
        sti
        hlt                     ; until the next interrupt
awake:  cli
        jmp     idle
taken:  pop     rax
        out     report, al
        mov     [rbx + 0xb0], ecx               ; ends the interrupt, on the local APIC
        mov     al, 0x20                        ; and on both PICs
        out     0xa0, al
        out     0x20, al
        mov     qword [rsp], awake      ; behind HLT: STI's shadow may get lost (docs/nested.md)
        iretq

setup:  db      0x20, 0x11, 0xa0, 0x11, 0x21, 0x20, 0xa1, 0x28  ; ICW1, ICW2: port, value
        db      0x21, 0x04, 0xa1, 0x02, 0x21, 0x01, 0xa1, 0x01  ; ICW3, ICW4
stubs:
%assign vector 0x20
%rep 0x20
        push    vector
        jmp     near taken
%assign vector vector + 1
%endrep
idtr:   dw      0x40 * 16 - 1
        dq      idt
