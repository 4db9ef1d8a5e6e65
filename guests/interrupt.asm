; interrupt: waits for interrupts and reports each one.
; mode: long
;
; Needs no irqchip: with one, the host sees no HLT.
; Host sees: HLT, with interrupts enabled. Whenever it injects vector 0x30, out of
; 1 byte to 0xf4 with the number of interrupts so far, then HLT again. The 32-bit
; cell at 0x2000 holds the same number.

        bits    64
        org     0x1000

cells   equ     0x2000
report  equ     0xf4

        mov     [gate + 2], cs
        lidt    [rel idtr]
        mov     dword [cells], 0
        sti
idle:   hlt
        jmp     idle

taken:  inc     dword [cells]
        mov     eax, [cells]
        out     report, al
        iretq

gates:  times   0x30 dq 0, 0
gate:   dw      taken, 0, 0x8e00, 0, 0, 0, 0, 0
idtr:   dw      $ - gates - 1
        dq      gates
