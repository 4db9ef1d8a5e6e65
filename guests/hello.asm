; hello: prints a line from 64-bit long mode, then halts.
; mode: long
;
; Host sees: one byte-wide out to 0x3f8 (the first serial port) per character of
; the greeting, then HLT. At the end eax = 42, rbx = CR0 (PG and PE set); the
; same two numbers lie as 32-bit cells at 0x2000 and 0x2004.

        bits    64
        org     0x1000

serial  equ     0x3f8
cells   equ     0x2000

        lea     rsi, [rel text]
        mov     dx, serial
next:   lodsb
        test    al, al
        jz      done
        out     dx, al
        jmp     next

done:   mov     eax, 42
        mov     rbx, cr0
        mov     [cells], eax
        mov     [cells + 4], ebx
        hlt

text:   db      "Hello from long mode!", 10, 0
