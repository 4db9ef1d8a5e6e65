; cpuid: reports the vendor string and the highest basic leaf of CPUID.
; mode: long
;
; Host sees: the vendor's 12 characters and a newline as bytes to 0x3f8 (by rep
; outsb), the highest basic leaf as one out of 4 bytes to 0xe0, HLT. The same lie
; at 0x2000 (12 bytes, then the newline) and at 0x2010 (32 bits). eax = the leaf.

        bits    64
        org     0x1000

serial  equ     0x3f8
report  equ     0xe0
cells   equ     0x2000

        xor     eax, eax
        cpuid
        mov     [cells], ebx
        mov     [cells + 4], edx
        mov     [cells + 8], ecx
        mov     byte [cells + 12], 10
        mov     [cells + 0x10], eax

        cld
        mov     esi, cells
        mov     ecx, 13
        mov     dx, serial
        rep outsb
        mov     eax, [cells + 0x10]
        out     report, eax
        hlt
