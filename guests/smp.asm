; smp: starts all other processors and has each of them answer an interrupt.
; mode: long
;
; Needs the in-kernel local APICs and x2APIC. Host writes how many others there
; are to the 32-bit cell at 0x2000 first.
; Host sees: from each of them an out of its letter (a and its APIC id) to 0x3f8
; when it has started, and of the capital letter when it was interrupted; at the
; end an out of a line feed to 0x3f8 and of their number to 0xf4 by the first
; one. The cells at 0x2004 and 0x2008 count the two.

        bits    64
        org     0x1000

serial  equ     0x3f8
exit    equ     0xf4
others  equ     0x2000
started equ     0x2004
asked   equ     0x2008
copy    equ     0x3000          ; a page's start, for SIPI's vector
vector  equ     0x40
base    equ     0x1b            ; IA32_APIC_BASE
enable  equ     0xc00           ; APIC and x2APIC
spur    equ     0x80f           ; spurious vector and software enable
eoi     equ     0x80b
icr     equ     0x830           ; interrupt command
all     equ     0xc0000         ; to all but this one

        xor     eax, eax
        mov     [started], eax
        mov     [asked], eax
        mov     dword [vector * 4], (copy / 16) << 16 | (answer - other)
        mov     rsi, other
        mov     edi, copy
        mov     ecx, end - other
        cld
        rep     movsb
        mov     ecx, base
        rdmsr
        or      eax, enable
        wrmsr
        mov     ecx, spur
        mov     eax, 0x1ff
        xor     edx, edx
        wrmsr
        mov     ecx, icr
        mov     eax, all | 0x4500              ; INIT
        wrmsr
        mov     eax, all | 0x4600 | copy >> 12 ; SIPI
        wrmsr
start:  pause
        mov     eax, [started]
        cmp     eax, [others]
        jb      start
        mov     eax, all | vector
        wrmsr
count:  pause
        mov     eax, [asked]
        cmp     eax, [others]
        jb      count
        mov     dx, serial
        mov     al, 10
        out     dx, al
        mov     eax, [asked]
        out     exit, al
        jmp     $

        bits    16
; The others begin here in real mode, at offset 0 of their segment.
other:  xor     ax, ax
        mov     ds, ax
        mov     ss, ax
        mov     eax, 1
        cpuid
        shr     ebx, 24
        mov     di, bx                          ; the APIC id
        shl     bx, 8
        lea     sp, [bx + 0x4000]               ; 256 bytes of stack for each
        mov     ecx, base
        rdmsr
        or      eax, enable
        wrmsr
        mov     ecx, spur
        mov     eax, 0x1ff
        xor     edx, edx
        wrmsr
        mov     dx, serial
        lea     ax, [di + 'a']
        out     dx, al
        lock inc dword [started]
sleep:  sti
        hlt
        jmp     sleep

answer: lea     ax, [di + 'A']
        mov     dx, serial
        out     dx, al
        xor     eax, eax
        xor     edx, edx
        mov     ecx, eoi
        wrmsr
        lock inc dword [asked]
        iret
end:
