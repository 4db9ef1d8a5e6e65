; A shared object of a few system calls, assembled by `nasm -f bin`: no linker, no libc.
;
; Each function returns the kernel's own result, -errno on failure. libc would return -1 and
; leave errno in thread-local storage, where the runtime's own calls can overwrite it before
; anyone reads it.
;
; ELF gABI: file header, program headers, dynamic section, hash table. System V AMD64 ABI,
; appendix A.2.1: system calls take rdi rsi rdx r10 r8 r9 and destroy rcx and r11.

bits 64
default rel
org 0

%define SYS_ioctl           16
%define SYS_rt_sigaction    13
%define SYS_rt_sigreturn    15
%define SYS_getpid          39
%define SYS_gettid          186
%define SYS_tgkill          234
%define SA_SIGINFO          0x00000004
%define SA_RESTORER         0x04000000
%define SA_ONSTACK          0x08000000
%define SA_RESTART          0x10000000
%define SI_TIMER            -2
%define SIGSET_BYTES        8

; The dynamic linker writes to the dynamic section, and code must not be writable: the file is
; mapped twice, once to run at 0 and once to write at DATA.
%define DATA                0x1000

; Behind it, zeroes: the table of vCPUs that can be kicked, see kick.ts.
%define TABLE               0x2000
%define TABLE_BYTES         4096 * 32

; Behind that, zeroes as well: addresses of closed memory, see retired.ts.
%define RETIRED_BYTES       (2 + 256) * 8

; An entry of it, as far as `kick_entry` looks at it.
struc entry
.users:                     resd 1
.generation:                resd 1
.byte:                      resq 1
.tid:                       resd 1
.pending:                   resd 1
.pool:                      resq 1
endstruc
%define OPEN                1 << 30             ; in .users, beside their number

; Before the signal's handler stands this word, by which every copy of the library in the process
; knows the handler of another, and with it that copy's table. It changes with the revision.
%define MAGIC               0x3672686b636b766b

ehdr:       db 0x7f, "ELF", 2, 1, 1, 0          ; 64-bit, little-endian, version 1, System V
            dq 0
            dw 3, 62                            ; ET_DYN, EM_X86_64
            dd 1
            dq 0, phdrs, 0                      ; no entry; program headers; no sections
            dd 0
            dw 64, 56, 4, 64, 0, 0

;                type flags  offset    vaddr            paddr            filesz    memsz    align
phdrs:      dd 1, 5
            dq 0, 0, 0, end, end, 0x1000                                ; PT_LOAD, read+execute
            dd 1, 6
            dq 0, DATA, DATA, end, TABLE - DATA + TABLE_BYTES + RETIRED_BYTES, 0x1000   ; PT_LOAD, read+write
            dd 2, 6
            dq dynamic, DATA + dynamic, DATA + dynamic, dynamic_size, dynamic_size, 8
            dd 0x6474e551, 6                    ; PT_GNU_STACK: without it, an executable stack
            dq 0, 0, 0, 0, 0, 16

dynamic:    dq 4, hash                          ; DT_HASH
            dq 5, strings                       ; DT_STRTAB
            dq 6, symbols                       ; DT_SYMTAB
            dq 10, strings_size                 ; DT_STRSZ
            dq 11, 24                           ; DT_SYMENT
            dq 0x6ffffffb, 8                    ; DT_FLAGS_1, DF_1_NODELETE: the signal handler stays
            dq 0, 0
dynamic_size equ $ - dynamic

%macro symbol 1
            dd name_%1 - strings
            db 0x12, 0                          ; STB_GLOBAL, STT_FUNC
            dw 1                                ; any section but SHN_UNDEF
            dq %1, 0
%endmacro

symbols:    times 24 db 0
            symbol ioctl2
            symbol ioctl3
            symbol ioctl3_u32
            symbol syscall3
            symbol syscall6
            symbol handle_timer_signal
            symbol kick
            symbol ioctl2_as
            symbol kick_entry

; One bucket whose chain runs through all symbols: no hash value to compute.
hash:       dd 1, 10, 1
            dd 0, 2, 3, 4, 5, 6, 7, 8, 9, 0

strings:            db 0
name_ioctl2:        db "ioctl2", 0
name_ioctl3:        db "ioctl3", 0
name_ioctl3_u32:    db "ioctl3_u32", 0
name_syscall3:      db "syscall3", 0
name_syscall6:      db "syscall6", 0
name_handle_timer_signal: db "handle_timer_signal", 0
name_kick:          db "kick", 0
name_ioctl2_as:     db "ioctl2_as", 0
name_kick_entry:    db "kick_entry", 0
strings_size equ $ - strings

            align 16
; int ioctl2(int fd, unsigned request): the argument is 0.
ioctl2:     xor edx, edx
            mov eax, SYS_ioctl
            syscall
            ret

            align 16
; int ioctl3_u32(int fd, unsigned request, unsigned argument): the ABI leaves the upper half of
; rdx undefined, the kernel reads it.
ioctl3_u32: mov edx, edx
; int ioctl3(int fd, unsigned request, unsigned long argument)
ioctl3:     mov eax, SYS_ioctl
            syscall
            ret

            align 16
; long syscall3(int number, long a, long b, long c)
syscall3:   mov eax, edi
            mov rdi, rsi
            mov rsi, rdx
            mov rdx, rcx
            syscall
            ret

            align 16
; long syscall6(int number, long a, long b, long c, long d, long e, long f)
syscall6:   mov eax, edi
            mov rdi, rsi
            mov rsi, rdx
            mov rdx, rcx
            mov r10, r8
            mov r8, r9
            mov r9, [rsp + 8]
            syscall
            ret

            align 16
; void *handle_timer_signal(int signal): from now on a POSIX timer that expires with this signal
; sets the byte its sigev_value points to. SA_RESTART: whatever else of the runtime's the signal finds
; blocked, a read for one, goes on; KVM_RUN ends with EINTR all the same. Returns the process's table.
handle_timer_signal:
            sub rsp, 32                         ; struct sigaction of the kernel
            xor esi, esi
            mov rdx, rsp
            mov r10d, SIGSET_BYTES
            mov eax, SYS_rt_sigaction
            syscall
            mov r8, [rsp]                       ; sa_handler
            add rsp, 32
            test rax, rax
            js .end
            cmp r8, 4096                        ; SIG_DFL and SIG_IGN are small numbers
            jb .install
            mov rax, MAGIC
            cmp [r8 - 8], rax
            jne .install
            lea rax, [r8 + TABLE - on_timer]
            ret

.install:   push 0                              ; sa_mask, then the fields before it
            lea rax, [restorer]
            push rax
            push SA_SIGINFO | SA_RESTORER | SA_ONSTACK | SA_RESTART
            lea rax, [on_timer]
            push rax
            mov rsi, rsp
            xor edx, edx
            mov r10d, SIGSET_BYTES
            mov eax, SYS_rt_sigaction
            syscall
            add rsp, 32
            test rax, rax
            js .end
            lea rax, [ehdr + TABLE]
.end:       ret

            align 16
; int kick(char *byte, int tid, int signal, int *other): sets the byte, then interrupts a thread of
; this process: the other one, if there is one and it has stored its id. In this order, whoever
; misses the signal finds the byte set; and so does a thread whose id was not there yet, for xchg
; lets no load pass the store.
kick:       mov eax, 1
            xchg [rdi], al
            test rcx, rcx
            jz .own
            mov eax, [rcx]
            test eax, eax
            cmovnz esi, eax
.own:
            mov eax, SYS_getpid
            syscall
            mov edi, eax
            mov eax, SYS_tgkill
            syscall
            ret

            align 16
; int kick_entry(struct entry *, int generation, int signal): kicks who has the entry, and returns 1;
; or 0, if that is another one by now. All of it is here, since a thread of JavaScript can be
; terminated between any two steps, and whoever closes the entry waits until its users are out.
kick_entry: xor r8d, r8d
            test dword [rdi + entry.users], OPEN
            jz .end                             ; one that closes waits for no newcomers
            mov eax, 1
            lock xadd [rdi + entry.users], eax
            test eax, OPEN
            jz .out
            cmp [rdi + entry.generation], esi
            jne .out
            inc r8d
            mov r9, [rdi + entry.byte]
            mov eax, 1
            xchg [rdi + entry.pending], eax
            test eax, eax
            jz .send
            cmp byte [r9], 0                    ; an earlier kick is still to be taken: one is enough
            jne .out
.send:      mov eax, 1
            xchg [r9], al
            mov esi, [rdi + entry.tid]
            mov r10, [rdi + entry.pool]
            test r10, r10
            jz .own
            mov eax, [r10]
            test eax, eax
            cmovnz esi, eax
.own:       mov r9, rdi
            mov eax, SYS_getpid
            syscall
            mov edi, eax
            mov eax, SYS_tgkill
            syscall
            mov rdi, r9
.out:       lock dec dword [rdi + entry.users]
.end:       mov eax, r8d
            ret

            align 16
; int ioctl2_as(int fd, unsigned request, int *tid): an ioctl whose thread can be found while it
; lasts, for `kick`.
ioctl2_as:  mov eax, SYS_gettid
            syscall
            mov [rdx], eax
            push rdx
            xor edx, edx
            mov eax, SYS_ioctl
            syscall
            pop rdx
            mov dword [rdx], 0
            ret

; siginfo_t: si_code at 8, si_value of a timer's signal at 24. Anyone may send the signal; only
; the kernel can send it with SI_TIMER.
            align 8
            dq MAGIC
on_timer:   cmp dword [rsi + 8], SI_TIMER
            jne .foreign
            mov rax, [rsi + 24]
            mov byte [rax], 1
.foreign:   ret

restorer:   mov eax, SYS_rt_sigreturn
            syscall
end:
