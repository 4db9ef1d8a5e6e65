; dirty: writes to one cell in each of a number of pages, to watch dirty logging.
; mode: long
;
; In: rdi = how many pages, rsi = the address of the first one.
; Host sees: HLT as the only exit. Every page's first 8 bytes hold its own address
; with bit 0 set. At the end rdi = 0 and rsi is behind the last page.

        bits    64
        org     0x1000

page    equ     0x1000

        test    rdi, rdi
        jz      done
next:   lea     rax, [rsi + 1]
        mov     [rsi], rax
        add     rsi, page
        dec     rdi
        jnz     next
done:   hlt
