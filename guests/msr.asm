; msr: writes a model-specific register and reads it back.
; mode: long
;
; In: rdi = the register's number, or 0 for IA32_KERNEL_GS_BASE (0xc0000102).
; Host sees: HLT as the only exit, unless it asked for the register's accesses. The
; register was set to 0x123456789abc and read: rbx and the 64-bit cell at 0x2000 hold
; what was read. The cell at 0x2008 holds IA32_EFER (0xc0000080) as read: bits 8 and
; 10, LME and LMA, are set.

        bits    64
        org     0x1000

cells   equ     0x2000
efer    equ     0xc0000080
kernel_gs_base equ 0xc0000102

%macro read 1                   ; where to; ecx = the register's number
        rdmsr
        shl     rdx, 32
        or      rax, rdx
        mov     %1, rax
%endmacro

        mov     ecx, efer
        read    [cells + 8]

        mov     ecx, kernel_gs_base
        test    edi, edi
        cmovnz  ecx, edi
        mov     edx, 0x1234
        mov     eax, 0x56789abc
        wrmsr
        read    rbx
        mov     [cells], rbx
        hlt
