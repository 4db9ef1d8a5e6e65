; compute: drops to privilege level 3, computes there and comes back by a #GP.
; mode: long
;
; In: rdi = how many rounds, at least 1. The page tables must let user mode reach
; the image and the stack at 0x7000.
; Host sees: HLT as the only exit. rax and the 64-bit cell at 0x2000 hold the last x
; of x = x * 6364136223846793005 + 1442695040888963407 mod 2^64, begun with 0; rdi
; is 0. The cells at 0x2008 and 0x2010 hold what #GP pushed: error code 0 and CS
; 0x1b, whose lowest two bits are the privilege level of the loop.

        bits    64
        org     0x1000

cells   equ     0x2000
stack   equ     0x7000

        lgdt    [rel gdtr]
        lidt    [rel idtr]
        mov     ax, tss_descriptor - gdt
        ltr     ax
        push    0x23            ; SS, RSP, RFLAGS, CS and RIP of level 3
        push    stack
        push    2
        push    0x1b
        push    user
        iretq

user:   xor     eax, eax
        mov     rcx, 6364136223846793005
        mov     rdx, 1442695040888963407
next:   imul    rax, rcx
        add     rax, rdx
        dec     rdi
        jnz     next
        hlt                     ; privileged: #GP

fault:  mov     [cells], rax
        pop     qword [cells + 8]       ; error code
        add     rsp, 8                  ; RIP
        pop     qword [cells + 0x10]    ; CS
        hlt

tss:    dd      0
        dq      stack           ; RSP0: where #GP pushes
        times   104 - 12 db 0
gdt:    dq      0, 0x00af9b000000ffff, 0x00cf93000000ffff  ; level 0: code 8, data 0x10
        dq      0x00affb000000ffff, 0x00cff3000000ffff     ; level 3: code 0x1b, data 0x23
tss_descriptor:
        dw      103, tss, 0x8900, 0, 0, 0, 0, 0
gdtr:   dw      $ - gdt - 1
        dq      gdt
gates:  times   13 dq 0, 0
        dw      fault, 8, 0x8e00, 0, 0, 0, 0, 0
idtr:   dw      $ - gates - 1
        dq      gates
