; An ELF64 program with headers made by hand: two segments, the second with zeroes behind its bytes.
;
; Host sees: at port 0xe9 lines that tell what it finds at RSI (Linux's zero page), that the GDT in
; memory is what the registers began with, and that its zeroes are zero; then HLT.

        bits    64
        org     0x200000

%include "macros.inc"

DATA    equ     0x400000
ZEROES  equ     0x3000

ehdr:   db      0x7f, "ELF", 2, 1, 1
        times   9 db 0
        dw      2, 62                   ; ET_EXEC, EM_X86_64
        dd      1
        dq      start
        dq      phdr - $$
        dq      0
        dd      0
        dw      64, 56, 2, 0, 0, 0
phdr:   dd      1, 5                    ; PT_LOAD, read and execute
        dq      0, $$, $$
        dq      text_end - $$, text_end - $$
        dq      0x1000
        dd      1, 6                    ; PT_LOAD, read and write
        dq      data - $$, DATA, DATA
        dq      data_end - data, data_end - data + ZEROES
        dq      1

start:  mov     rbx, rsi
        mov     eax, cs
        show    "cs ", rax
        mov     eax, ds
        show    "ds ", rax
        ; Each register is loaded anew from the GDT in memory.
        mov     eax, 0x18
        mov     ds, eax
        mov     ss, eax
        push    0x10
        lea     rax, [rel reloaded]
        push    rax
        retfq
reloaded:
        pushfq
        pop     rax
        show    "flags ", rax
        mov     eax, [rbx + 0x228]
        tell    "command line ", rax
        movzx   eax, byte [rbx + 0x1e8]
        show    "e820 entries ", rax
        mov     eax, [rbx + 0x1e0]
        show    "alt_mem_k ", rax
        mov     eax, [rbx + 0x70]
        show    "rsdp ", rax
        mov     eax, [rbx + 0x218]
        tell    "initrd ", rax
        mov     eax, [rbx + 0x21c]
        show    "initrd size ", rax
        tell    "data ", DATA
        mov     rdi, DATA + data_end - data
        mov     ecx, ZEROES / 8
        xor     eax, eax
        repe    scasq
        sete    al
        show    "zeroes ", rax
        hlt

%include "print.inc"
text_end:

data:   db      "from the second segment", 0
        align   8, db 0
data_end:
