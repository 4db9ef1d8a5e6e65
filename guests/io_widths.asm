; io_widths: in and out of 8, 16 and 32 bits, with an immediate port and with DX.
; mode: long
;
; Host sees, in this order: out of 0x11, 0x2222 and 0x33333333 (1, 2 and 4 bytes)
; to port 0xe0, the same three to port 0x1230; in of 1, 2 and 4 bytes from 0xe0,
; then from 0x1230; HLT. Before every in rax is all ones, so the 64-bit cells at
; 0x2000, 0x2008 ... 0x2028 show what an in leaves of the register: the upper
; bits survive an 8- or 16-bit in and are cleared by a 32-bit one.

        bits    64
        org     0x1000

near_port equ   0xe0            ; reached by an immediate
far_port  equ   0x1230          ; beyond an immediate's 8 bits
cells     equ   0x2000

%macro input 3                  ; cell, accumulator, port
        mov     rax, -1
        in      %2, %3
        mov     [cells + 8 * %1], rax
%endmacro

        mov     dx, far_port
        mov     eax, 0x11
        out     near_port, al
        mov     eax, 0x2222
        out     near_port, ax
        mov     eax, 0x33333333
        out     near_port, eax
        mov     eax, 0x11
        out     dx, al
        mov     eax, 0x2222
        out     dx, ax
        mov     eax, 0x33333333
        out     dx, eax
        input   0, al, near_port
        input   1, ax, near_port
        input   2, eax, near_port
        input   3, al, dx
        input   4, ax, dx
        input   5, eax, dx
        hlt
