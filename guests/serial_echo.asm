; serial_echo: sends back by interrupts what it receives from the serial port.
; mode: long
;
; Needs the in-kernel irqchip, and a 16550A at 0x3f8 with IRQ 4.
; Host sees: accesses to the port; out of 1 byte to 0xf5 before each HLT, which waits in the
; kernel. bl counts the bytes received, cl those sent back, modulo 256.

        bits    64
        org     0x1000
serial  equ     0x3f8
queue   equ     0x2000
gate    equ     0x3000 + 0x24 * 16

        mov     word [gate], taken
        mov     [gate + 2], cs
        mov     dword [gate + 4], 0x8e00        ; interrupt gate present
        lidt    [rel idtr]
        xor     ebx, ebx
        xor     ecx, ecx
        mov     esi, setup
send:   lodsd                                   ; port and value
        mov     edx, eax
        shr     eax, 16
        out     dx, al
        cmp     esi, setup.end
        jb      send
idle:   out     0xf5, al
        sti
        hlt                                     ; until the next interrupt
awake:  cli
        jmp     idle
taken:  mov     dx, serial + 2                  ; IIR
        in      al, dx
        test    al, 1                           ; no more causes
        jnz     done
        mov     dx, serial
        test    al, 4                           ; received data
        jz      empty
        in      al, dx
        mov     [queue + rbx], al
        inc     bl
        mov     al, 3                           ; interrupts: data, and transmitter empty
enable: mov     dx, serial + 1                  ; IER
        out     dx, al
        jmp     taken
empty:  mov     al, 1                           ; interrupts: data
        cmp     bl, cl
        je      enable
        mov     al, [queue + rcx]
        inc     cl
        out     dx, al
        jmp     taken
done:   mov     al, 0x20                        ; ends the interrupt
        out     0x20, al
        mov     qword [rsp], awake              ; behind HLT: see interrupt_lines.asm
        iretq
setup:  dw      0x20, 0x11, 0x21, 0x20, 0x21, 4, 0x21, 1, 0x21, 0xef    ; PIC: IRQ 4 alone
        dw      serial + 2, 0xc7, serial + 4, 0x0b, serial + 1, 1       ; FIFOs, OUT2, IER
.end:
idtr:   dw      0x25 * 16 - 1, 0x3000, 0, 0, 0
