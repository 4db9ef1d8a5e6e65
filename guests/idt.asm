; idt: takes #UD and #DE through its own IDT and returns from both handlers.
; mode: long
;
; Host sees: HLT as the only exit. The handlers leave the faulting addresses in
; the 64-bit cells at 0x2000 (#UD) and 0x2008 (#DE), set the bit of their vector
; in rbx, step over the instruction and return. At the end eax = 42, rbx = 0x41.

        bits    64
        org     0x1000

cells   equ     0x2000

        xor     ebx, ebx
        xor     ecx, ecx
        mov     [gates.de + 2], cs
        mov     [gates.ud + 2], cs
        lidt    [rel idtr]
        ud2
        div     cl              ; by zero
        mov     eax, 42
        hlt

%macro handler 2                ; cell, vector; for faults of 2-byte instructions
        mov     rax, [rsp]
        mov     [cells + 8 * %1], rax
        or      ebx, 1 << %2
        add     qword [rsp], 2
        iretq
%endmacro

ud:     handler 0, 6
de:     handler 1, 0

gates:                          ; offset, selector, interrupt gate present
.de:    dw      de, 0, 0x8e00, 0, 0, 0, 0, 0
        times   5 dq 0, 0
.ud:    dw      ud, 0, 0x8e00, 0, 0, 0, 0, 0
idtr:   dw      $ - gates - 1
        dq      gates
