; timer: counts interrupts of the PIT that come through the PIC.
; mode: long
;
; Needs the in-kernel irqchip and PIT, or models of both in the host.
; Host sees: after five ticks of 10 ms, an out of the count (1 byte) to 0xf4; the
; guest is then past its end, since HLT would not leave a kernel that has the
; irqchip: do not run it again. The 32-bit cell at 0x2000 counts the ticks; eax = 5.

        bits    64
        org     0x1000

cells   equ     0x2000
done    equ     0xf4

%macro output 2                 ; port, value
        mov     al, %2
        out     %1, al
%endmacro

        mov     [gate + 2], cs
        lidt    [rel idtr]
        output  0x20, 0x11      ; ICW1: start, edge triggered, ICW4 follows
        output  0x21, 0x20      ; ICW2: IRQ 0 becomes vector 0x20
        output  0x21, 0x04      ; ICW3: the second PIC is at IRQ 2
        output  0x21, 0x01      ; ICW4: 8086 mode
        output  0x21, 0xfe      ; mask all but IRQ 0
        output  0x43, 0x34      ; channel 0, both bytes, mode 2
        output  0x40, 11932 & 0xff
        output  0x40, 11932 >> 8        ; of 1193182 Hz: 100 Hz
        mov     dword [cells], 0
idle:   sti
        hlt                     ; until the next interrupt
        cli
        cmp     dword [cells], 5
        jb      idle
        mov     eax, [cells]
        out     done, al
        jmp     $

tick:   push    rax
        inc     dword [cells]
        output  0x20, 0x20      ; end of interrupt
        pop     rax
        iretq

gates:  times   0x20 dq 0, 0
gate:   dw      tick, 0, 0x8e00, 0, 0, 0, 0, 0
idtr:   dw      $ - gates - 1
        dq      gates
