; hello_real: prints a line from 16-bit real mode, then halts.
; mode: real
;
; Host sees: one byte-wide out to 0x3f8 (the first serial port) per character of
; the greeting, then HLT. At the end eax = 42, ebx = CR0 (PE and PG clear); the
; same two numbers lie as 32-bit cells at 0x2000 and 0x2004.

        bits    16
        org     0x1000

serial  equ     0x3f8
cells   equ     0x2000

        mov     si, text
        mov     dx, serial
next:   lodsb
        test    al, al
        jz      done
        out     dx, al
        jmp     next

done:   mov     eax, 42
        mov     ebx, cr0
        mov     [cells], eax
        mov     [cells + 4], ebx
        hlt

text:   db      "Hello from real mode!", 10, 0
