; apic_timer: counts interrupts of the local APIC's timer.
; mode: long
;
; Needs the in-kernel local APIC (a whole or a split irqchip).
; Host sees: after five ticks, an out of the count (1 byte) to 0xf4; the guest is
; then past its end: do not run it again. The 32-bit cell at 0x2000 counts the
; ticks; eax = 5.

        bits    64
        org     0x1000

cells   equ     0x2000
done    equ     0xf4
apic    equ     0xfee00000
eoi     equ     0xb0
spur    equ     0xf0            ; spurious vector and software enable
lvt     equ     0x320           ; timer entry of the local vector table
initial equ     0x380
divide  equ     0x3e0

        mov     [gate + 2], cs
        lidt    [rel idtr]
        mov     ebx, apic
        mov     dword [rbx + spur], 0x1ff
        mov     dword [rbx + divide], 0xb       ; by 1
        mov     dword [rbx + lvt], 0x20020      ; periodic, vector 0x20
        mov     dword [rbx + initial], 10000000 ; KVM's bus clock is 1 GHz: 10 ms
        mov     dword [cells], 0
idle:   sti
        hlt                     ; until the next interrupt
        cli
        cmp     dword [cells], 5
        jb      idle
        mov     dword [rbx + initial], 0        ; stop
        mov     eax, [cells]
        out     done, al
        jmp     $

tick:   inc     dword [cells]
        mov     dword [rbx + eoi], 0
        iretq

gates:  times   0x20 dq 0, 0
gate:   dw      tick, 0, 0x8e00, 0, 0, 0, 0, 0
idtr:   dw      $ - gates - 1
        dq      gates
