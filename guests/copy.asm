; copy: reads 8 bytes at one address and writes them to another.
; mode: long
;
; In: rsi = the address to read, rdi = the address to write.
; Host sees: an MMIO exit for either address that has no memory behind it (or, for
; rdi, read-only memory), then HLT. rax holds the 8 bytes; the 32-bit cell at 0x2000
; counts the steps done: 1 after the read, 2 after the write.

        bits    64
        org     0x1000

cells   equ     0x2000

        mov     dword [cells], 0
        mov     rax, [rsi]
        inc     dword [cells]
        mov     [rdi], rax
        inc     dword [cells]
        hlt
