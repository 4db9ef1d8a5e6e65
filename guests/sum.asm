; sum: adds the numbers from 1 to N at the privilege level it was entered at.
; mode: long
;
; In: rdi = N, at least 1. At level 3 the port must be open: RFLAGS.IOPL = 3 and a
; TSS whose I/O permission bitmap allows it.
; Host sees: out of the sum's lower 4 bytes to 0xf4; the guest is then past its end:
; do not run it again. rax and the 64-bit cell at 0x2000 hold the sum, rbx and the
; cell at 0x2008 the privilege level, which are the lowest two bits of CS. rdi is 0.

        bits    64
        org     0x1000

cells   equ     0x2000
done    equ     0xf4

        xor     eax, eax
next:   add     rax, rdi
        dec     rdi
        jnz     next
        mov     [cells], rax
        mov     ebx, cs
        and     ebx, 3
        mov     [cells + 8], rbx
        out     done, eax
        jmp     $
