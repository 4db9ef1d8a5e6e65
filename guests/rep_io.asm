; rep_io: string port I/O, rep outs and rep ins of bytes, words and doublewords.
; mode: long
;
; Host sees, in this order: out of 5 bytes "bytes" to 0x1231, of 3 words 0x1111,
; 0x2222, 0x3333 to 0x1232, of 2 doublewords 0x44444444, 0x55555555 to 0x1234;
; in of 5 bytes, 3 words and 2 doublewords from the same ports; HLT. An exit may
; carry any number of elements: only their size and their sum are certain.
; What was read lies at 0x2000, 0x2010 and 0x2020. At the end rcx = 0, rdi =
; 0x2028 and rsi is just behind the data that was written.

        bits    64
        org     0x1000

port    equ     0x1230          ; plus the element's size
cells   equ     0x2000

        cld
        lea     rsi, [rel bytes]
        mov     dx, port + 1
        mov     ecx, 5
        rep outsb
        mov     dx, port + 2
        mov     ecx, 3
        rep outsw
        mov     dx, port + 4
        mov     ecx, 2
        rep outsd

        mov     edi, cells
        mov     dx, port + 1
        mov     ecx, 5
        rep insb
        mov     edi, cells + 0x10
        mov     dx, port + 2
        mov     ecx, 3
        rep insw
        mov     edi, cells + 0x20
        mov     dx, port + 4
        mov     ecx, 2
        rep insd
        hlt

bytes:  db      "bytes"
        dw      0x1111, 0x2222, 0x3333
        dd      0x44444444, 0x55555555
