; A bzImage in miniature: a sector of setup code with Linux's header, one of nothing, and
; protected-mode code with its 32-bit entry at 0 and its 64-bit entry at 0x200.
;
; Host sees: at port 0xe9 the entry that was taken and where, and what the zero page at RSI says; then
; HLT.

%include "macros.inc"

        org     0x100000 - 1024         ; the protected-mode code is at 1 MiB, unless it is moved

image:  times   0x1f1 - ($ - image) db 0
        db      1                       ; setup_sects
        dw      0
        dd      (code_end - code) / 16  ; syssize
        dw      0, 0, 0
        dw      0xaa55
        db      0xeb, header_end - header
header: db      "HdrS"
        dw      0x020c                  ; version
        dd      0
        dw      0, 0
        db      0, 1                    ; type_of_loader, loadflags: LOADED_HIGH
        dw      0
        dd      0x100000                ; code32_start
        dd      0, 0, 0
        dw      0
        db      0, 0
        dd      0                       ; cmd_line_ptr
        dd      0x7fffffff              ; initrd_addr_max
        dd      0x10000                 ; kernel_alignment
        db      1, 12                   ; relocatable_kernel, min_alignment
        dw      1                       ; xloadflags: XLF_KERNEL_64
        dd      255                     ; cmdline_size
        dd      0
        dq      0
        dd      0, 0
        dq      0
        dq      0x100000                ; pref_address
        dd      0x80000                 ; init_size
        dd      0, 0
header_end:
        times   1024 - ($ - image) db 0

code:
        bits    32
        mov     ebp, esi
        mov     ebx, cs
        show    "entry32 cs ", ebx
        jmp     near tell32
        times   0x200 - ($ - code) db 0xf4
        bits    64
        mov     rbp, rsi
        lea     rbx, [rel code]
        show    "entry64 at ", rbx
        mov     ebx, [rbp + 0x214]
        show    "code32_start ", rbx
        mov     ebx, [rbp + 0x228]
        tell    "command line ", rbx
        movzx   ebx, byte [rbp + 0x210]
        show    "type_of_loader ", rbx
        movzx   ebx, byte [rbp + 0x211]
        show    "loadflags ", rbx
        mov     ebx, [rbp + 0x218]
        show    "initrd ", rbx
        tell    "initrd text ", rbx
        hlt
%include "print.inc"

        bits    32
tell32: mov     ebx, [ebp + 0x228]
        push    ebx
        mov     esi, line
        call    puts32
        pop     esi
        call    puts32
        mov     al, 10
        out     DEBUGCON, al
        hlt
line:   db      "command line ", 0
puts32: lodsb
        test    al, al
        jz      .done
        out     DEBUGCON, al
        jmp     puts32
.done:  ret
        align   16, db 0
code_end:
