; The exception handlers that longMode gives a guest: level-0 code that runs at any address.
;
; Each of 32 entries, 16 bytes apart, leads to one routine with the vector and an error code on
; the stack. All gates switch to the same stack (IST 1, SDM volume 3, "Interrupt Stack Table"), so
; the processor's frame always lies at the same place and is the record that the host reads; behind
; it follow two fields of the host's. The routine
;   - executes what level 3 may not: HLT, and IN and OUT by which a guest talks to its host where
;     the backend ignores IOPL. The guest goes on behind the instruction;
;   - reports everything else: it completes the record, tells the host by an OUT of the vector if
;     it was given a port, and halts for good. All registers are as the guest had them.

        bits    64
        org     0

GP      equ     13
IF      equ     1 << (9 - 8)    ; in the second byte of RFLAGS
RF      equ     1 << (16 - 16)  ; in the third
; A set bit for each vector whose exception pushes an error code (SDM volume 3, "Exception and
; Interrupt Reference").
%define CODES   (1 << 8 | 0x1f << 10 | 1 << 17 | 1 << 21 | 1 << 29 | 1 << 30)

; What lies above the stack pointer in `handle`.
struc frame
.vector:        resq 1
.code:          resq 1
.rip:           resq 1
.cs:            resq 1
.rflags:        resq 1
.rsp:           resq 1
.ss:            resq 1
.reported:      resd 1          ; the host's: set once the record is complete
.port:          resd 1          ; the host's: where to announce it, or 0
endstruc

; The same, while three registers are saved below it.
SAVED   equ     24
RAX_AT  equ     16

%assign vector 0
%rep 32
        align   16
%if (CODES >> vector & 1) == 0
        push    0
%endif
        push    vector
        jmp     handle
%assign vector vector + 1
%endrep

        align   16
handle: cmp     dword [rsp + frame.vector], GP
        jne     report
        cmp     qword [rsp + frame.code], 0
        jne     report
        test    byte [rsp + frame.cs], 3
        jz      report

        push    rax
        push    rcx
        push    rdx
        mov     rcx, [rsp + SAVED + frame.rip]
        xor     eax, eax
        mov     al, [rcx]
        inc     rcx
        cmp     al, 0xf4        ; HLT
        je      halt
        cmp     al, 0x66        ; operand size prefix: 16 bits, kept in ah
        jne     .opcode
        mov     ah, al
        mov     al, [rcx]
        inc     rcx
; IN and OUT are e4 to e7 with the port in a byte, ec to ef with it in DX. Bit 0 tells the
; accumulator (AL or EAX) and bit 1 the direction (SDM volume 2, "Opcode Map").
.opcode:
        push    rax
        and     al, 0xf4
        cmp     al, 0xe4
        pop     rax
        jne     refuse
        test    al, 8
        jnz     .port
        movzx   edx, byte [rcx]
        inc     rcx
.port:  mov     [rsp + SAVED + frame.rip], rcx
        and     byte [rsp + SAVED + frame.rflags + 2], ~RF
        mov     ecx, eax
        mov     rax, [rsp + RAX_AT]
        test    cl, 1
        jz      .byte
        test    ch, ch
        jnz     .word
        test    cl, 2
        jnz     .outd
        in      eax, dx
        jmp     .done
.outd:  out     dx, eax
        jmp     .kept
.word:  test    cl, 2
        jnz     .outw
        in      ax, dx
        jmp     .done
.outw:  out     dx, ax
        jmp     .kept
.byte:  test    cl, 2
        jnz     .outb
        in      al, dx
        jmp     .done
.outb:  out     dx, al
        jmp     .kept
.done:  mov     [rsp + RAX_AT], rax
.kept:  pop     rdx
        pop     rcx
        pop     rax
        add     rsp, frame.rip
        iretq

; For a guest that takes interrupts, HLT waits for the next one.
halt:   mov     [rsp + SAVED + frame.rip], rcx
        and     byte [rsp + SAVED + frame.rflags + 2], ~RF
        test    byte [rsp + SAVED + frame.rflags + 1], IF
        pop     rdx
        pop     rcx
        pop     rax
        lea     rsp, [rsp + frame.rip]
        jz      .closed
        sti
.closed:
        hlt
        cli
        iretq

refuse: pop     rdx
        pop     rcx
        pop     rax

report: push    rax             ; the record's first field, for CR2
        push    rax
        mov     rax, cr2
        mov     [rsp + 8], rax
        pop     rax
        mov     dword [rsp + 8 + frame.reported], 1
        cmp     dword [rsp + 8 + frame.port], 0
        je      .stop
        push    rax
        push    rdx
        mov     edx, [rsp + 24 + frame.port]
        mov     al, [rsp + 24 + frame.vector]
        out     dx, al
        pop     rdx
        pop     rax
.stop:  hlt
        jmp     .stop
