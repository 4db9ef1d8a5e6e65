; spin: loops forever without an exit, for a host that wants to interrupt it.
; mode: long
;
; Host sees: nothing, until it ends the run itself; the 32-bit cell at 0x2000 is then
; 1 and rip is 0x100b, that of the only instruction in the loop. It runs at every
; privilege level.

        bits    64
        org     0x1000

cells   equ     0x2000
        mov     dword [cells], 1
        jmp     $
