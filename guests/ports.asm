; ports: writes to a port without end, each time one higher, to measure exits by.
; mode: long
;
; Host sees: out of 4 bytes to 0xe0 with 1, 2, 3 ... for as long as it runs the
; vCPU. Two instructions lie between one exit and the next. eax counts.

        bits    64
        org     0x1000

report  equ     0xe0

        xor     eax, eax
next:   inc     eax
        out     report, eax
        jmp     next
