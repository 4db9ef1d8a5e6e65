; A boot sector: real mode at 0x7c00, DL the disk that it came from.
;
; Host sees: at port 0xe9 a line for DL, CS, SS, SP and FLAGS, then HLT.

        bits    16
        org     0x7c00

%include "macros.inc"

        movzx   edx, dl
        mov     ebp, esp
        xor     ebx, ebx
        mov     bx, cs
        xor     edi, edi
        mov     di, ss
        show    "dl ", edx
        show    "cs ", ebx
        show    "ss ", edi
        show    "sp ", ebp
        pushf
        pop     ax
        movzx   eax, ax
        show    "flags ", eax
        hlt

%include "print.inc"

        times   510 - ($ - $$) db 0
        dw      0xaa55
