; halt: leaves a number in a register and in memory, then halts.
; mode: long
;
; Host sees: HLT as the only exit, with rip behind the instruction. At the end
; eax = 42, and the 32-bit cell at 0x2000 holds the same.

        bits    64
        org     0x1000

cells   equ     0x2000

        mov     eax, 42
        mov     [cells], eax
        hlt
