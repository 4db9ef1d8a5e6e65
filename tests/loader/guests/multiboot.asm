; A Multiboot kernel, loaded by the address fields of its header.
;
; Host sees: at port 0xe9 lines with all that the information at EBX holds, and whether what should be
; zero is; then HLT.

        bits    32
        org     0x100000

%include "macros.inc"

MAGIC   equ     0x1badb002
FLAGS   equ     0x10003                 ; page alignment, memory information, address fields
ZEROES  equ     0x2000

code:   db      "code before the header"
        align   4, db 0
header: dd      MAGIC, FLAGS, -(MAGIC + FLAGS) & 0xffffffff
        dd      header, code, code_end, code_end + ZEROES, start

start:  mov     esp, stack_end
        show    "eax ", eax
        mov     eax, cr0
        and     eax, 0x80000001
        show    "cr0 ", eax
        mov     ebp, ebx
        show    "flags ", dword [ebp]
        show    "mem_lower ", dword [ebp + 4]
        show    "mem_upper ", dword [ebp + 8]
        tell    "command line ", dword [ebp + 16]
        tell    "loader ", dword [ebp + 64]
        mov     ebx, [ebp + 48]
        mov     edi, ebx
        add     edi, [ebp + 44]
range:  cmp     ebx, edi
        jae     ranges_end
        show    "range ", dword [ebx + 4]
        show    "  bytes ", dword [ebx + 12]
        show    "  type ", dword [ebx + 20]
        add     ebx, [ebx]
        add     ebx, 4
        jmp     range
ranges_end:
        mov     ebx, [ebp + 24]
        mov     edi, [ebp + 20]
module: test    edi, edi
        jz      modules_end
        show    "module ", dword [ebx]
        mov     eax, [ebx + 4]
        sub     eax, [ebx]
        show    "  bytes ", eax
        tell    "  text ", dword [ebx]
        tell    "  string ", dword [ebx + 8]
        add     ebx, 16
        dec     edi
        jmp     module
modules_end:
        mov     edi, code_end
        mov     ecx, ZEROES / 4
        xor     eax, eax
        repe    scasd
        sete    al
        show    "zeroes ", eax
        hlt

%include "print.inc"

        align   16, db 0
        times   256 db 0
stack_end:
code_end:
