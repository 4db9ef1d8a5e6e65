; page_fault: touches an unmapped address and looks at what #PF tells its handler.
; mode: long
;
; Host sees: HLT as the only exit. The 64-bit cells at 0x2000, 0x2008 and 0x2010
; hold CR2 (0x8000000000), the error code (2: a write, by the supervisor, to a page
; that is not present) and the address of the faulting instruction. The handler
; returns behind that instruction. At the end eax = 42 and rbx = CR2.

        bits    64
        org     0x1000

cells   equ     0x2000
nowhere equ     0x8000000000    ; 512 GiB, behind all that page tables map at start

        mov     [gate + 2], cs
        lidt    [rel idtr]
        mov     rdi, nowhere
touch:  mov     [rdi], eax
behind: mov     eax, 42
        hlt

fault:  mov     rbx, cr2
        mov     [cells], rbx
        pop     qword [cells + 8]
        pop     qword [cells + 0x10]
        push    behind
        iretq

gates:  times   14 dq 0, 0
gate:   dw      fault, 0, 0x8e00, 0, 0, 0, 0, 0
idtr:   dw      $ - gates - 1
        dq      gates
