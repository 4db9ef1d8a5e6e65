; echo: sends every byte it reads from the serial port back, until it reads a zero.
; mode: long
;
; Host sees: in of 1 byte from 0x3f8 and, if that was not zero, out of the same byte
; to 0x3f8, again and again; after the zero HLT. rcx and the 64-bit cell at 0x2000
; count the bytes sent back.

        bits    64
        org     0x1000

serial  equ     0x3f8
cells   equ     0x2000

        xor     ecx, ecx
        mov     dx, serial
next:   in      al, dx
        test    al, al
        jz      done
        out     dx, al
        inc     rcx
        jmp     next
done:   mov     [cells], rcx
        hlt
