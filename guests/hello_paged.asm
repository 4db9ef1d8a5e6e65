; hello_paged: prints a line from 32-bit protected mode with paging, then halts.
; mode: paged
;
; Host sees: one byte-wide out to 0x3f8 (the first serial port) per character of
; the greeting, then HLT. At the end eax = 42, ebx = CR0 (PG and PE set); the
; same two numbers lie as 32-bit cells at 0x2000 and 0x2004. It runs under every kind
; of paging, that of compatibility mode (long mode with a 32-bit code segment) too.

        bits    32
        org     0x1000

serial  equ     0x3f8
cells   equ     0x2000

        mov     esi, text
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

text:   db      "Hello from protected mode with paging!", 10, 0
