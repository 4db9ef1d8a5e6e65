; triple_fault: raises an exception that nothing can handle, so the CPU shuts down.
; mode: long
;
; Host sees: the shutdown exit. Before it, 42 was written to the 32-bit cell at
; 0x2000; the registers tell nothing, since some hosts have reset them by then. An
; empty IDT turns #UD into a double and that into a triple fault.

        bits    64
        org     0x1000

cells   equ     0x2000

        mov     eax, 42
        mov     [cells], eax
        lidt    [rel empty]
        ud2

empty:  dw      0               ; limit: not even the first gate fits
        dq      0
