; An ELF64 program with a PVH entry in a note, and an ELF entry that must not be taken.
;
; Host sees: at port 0xe9 lines with all that the start info at EBX holds; then HLT.

        bits    32
        org     0x100000

%include "macros.inc"

ehdr:   db      0x7f, "ELF", 2, 1, 1
        times   9 db 0
        dw      2, 62                   ; ET_EXEC, EM_X86_64
        dd      1
        dq      wrong
        dq      phdr - $$
        dq      0
        dd      0
        dw      64, 56, 2, 0, 0, 0
phdr:   dd      1, 7                    ; PT_LOAD
        dq      0, $$ + 0xffffffff80000000, $$
        dq      image_end - $$, image_end - $$
        dq      0x1000
        dd      4, 4                    ; PT_NOTE
        dq      notes - $$, notes + 0xffffffff80000000, notes
        dq      notes_end - notes, notes_end - notes
        dq      4

notes:  dd      4, 6, 6                 ; another note, whose descriptor is padded
        db      "Xen", 0, "guest", 0, 0, 0
        dd      4, 8, 18                ; XEN_ELFNOTE_PHYS32_ENTRY
        db      "Xen", 0
        dq      start
notes_end:

wrong:  say     "entered at ELF's entry"
        hlt

start:  mov     esp, stack_end
        mov     eax, cr0
        and     eax, 0x80000001
        show    "cr0 ", eax
        mov     eax, cr4
        show    "cr4 ", eax
        mov     ebp, ebx
        show    "magic ", dword [ebp]
        show    "version ", dword [ebp + 4]
        tell    "command line ", dword [ebp + 24]
        show    "rsdp ", dword [ebp + 32]
        mov     ebx, [ebp + 40]
        mov     edi, [ebp + 48]
range:  test    edi, edi
        jz      ranges_end
        show    "range ", dword [ebx]
        show    "  bytes ", dword [ebx + 8]
        show    "  type ", dword [ebx + 16]
        add     ebx, 24
        dec     edi
        jmp     range
ranges_end:
        mov     ebx, [ebp + 16]
        mov     edi, [ebp + 12]
module: test    edi, edi
        jz      modules_end
        show    "module ", dword [ebx]
        show    "  bytes ", dword [ebx + 8]
        tell    "  text ", dword [ebx]
        cmp     dword [ebx + 16], 0
        je      next
        tell    "  string ", dword [ebx + 16]
next:   add     ebx, 32
        dec     edi
        jmp     module
modules_end:
        hlt

%include "print.inc"

        align   16, db 0
        times   256 db 0
stack_end:
image_end:
