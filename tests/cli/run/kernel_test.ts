import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { hasProgram, needing } from "../../support/host.ts";
import { kvm } from "../support.ts";
import { allow, run, withFiles } from "./support.ts";

Deno.test("what can't be loaded exits with 125 and one line", async () => {
  await withFiles(
    { "zeroes.bin": new Uint8Array(100), "zeroes.0": [], "bad.elf": [0x7f, 69, 76, 70] },
    async (folder) => {
      for (
        const [args, message] of [
          [["none.elf"], "Cannot read the kernel from none.elf: ENOENT"],
          [["zeroes.bin/"], "Cannot read the kernel from zeroes.bin/: ENOTDIR"],
          [["/proc/self/mem"], "Cannot read the kernel from /proc/self/mem: EIO"],
          [["zeroes.bin", "--initrd", "zeroes.bin/"], "ramdisk from zeroes.bin/: ENOTDIR"],
          [["zeroes.bin", "--fw-cfg", "a=/dev/zero"], "Cannot read /dev/zero: It is no regular"],
          [["zeroes.bin", "--fw-cfg", "a=/proc/self/mem"], "/proc/self/mem: Input/output error"],
          [["zeroes.bin", "--fw-cfg", "a=/proc/self"], "Cannot read /proc/self: Is a directory"],
          [["zeroes.bin"], "Cannot tell how to load zeroes.bin: it is no bzImage"],
          [["zeroes.bin"], "needs --protocol flat16, flat32 or flat64"],
          [["zeroes.0"], "Cannot load zeroes.0: it is empty"],
          [["zeroes.bin", "--protocol", "elf"], 'zeroes.bin: Cannot load the kernel as "elf"'],
          [["bad.elf"], 'bad.elf: Cannot load the kernel as "elf": ENOEXEC'],
          [["zeroes.bin", "--protocol", "efi"], "protocol is linux, elf, pvh"],
          [["zeroes.bin", "--protocol", "flat64", "--append", "x"], "has no commandLine"],
          [["zeroes.bin", "--protocol", "flat64", "-m", "12X"], 'Cannot understand the size "12X"'],
          [["zeroes.bin", "--protocol", "flat64", "-m", "8192T"], "It is too big: no processor"],
          [["zeroes.bin", "--protocol", "flat64", "-m", "4096T"], "at most 4194303G"],
          [["zeroes.bin", "--protocol", "flat64", "--cpu", "pentium"], "CPU model"],
          [["zeroes.bin", "--protocol", "flat64", "--initrd", "none"], "none: ENOENT"],
          [["zeroes.bin", "--fw-cfg", "opt/a=none"], "Cannot read none: No such file or directory"],
          [["none.asm"], "Cannot read none.asm: No such file or directory"],
          [["none.asm", "--protocol", "linux"], "Source is started as flat16, flat32 or flat64"],
        ] as const
      ) {
        const paths = args.map((arg) => {
          if (arg.startsWith("opt/a=")) return arg.replace("none", `${folder}/none`);
          return /^(none|zeroes|bad)/.test(arg) ? `${folder}/${arg}` : arg;
        });
        const { code, stdout, stderr } = await kvm("run", ...paths, "--serial", "none");
        assertEquals([code, stdout], [125, ""], stderr);
        assertMatch(stderr, /^kvm: .*\n$/);
        assertStringIncludes(stderr.replaceAll(`${folder}/`, ""), message);
      }
    },
  );
});

Deno.test({
  ...needing("mkfifo", hasProgram("mkfifo"), "a pipe is no source, and no file for the guest"),
  async fn() {
    await withFiles({ "guest.bin": [0xf4] }, async (folder) => {
      const pipe = `${folder}/pipe.asm`;
      await new Deno.Command("mkfifo", { args: [pipe] }).output();
      for (const args of [[pipe], [`${folder}/guest.bin`, "--fw-cfg", `opt/a=${pipe}`]]) {
        const { code, stderr } = await kvm("run", ...args, "--serial", "none");
        assertEquals([code, stderr], [125, `kvm: Cannot read ${pipe}: It is no regular file\n`]);
      }
    });
  },
});

Deno.test({
  ...needing(
    "nasm",
    hasProgram("nasm"),
    "source is assembled and started in the mode that it is for",
  ),
  async fn() {
    const files = {
      "long.asm": "mov rax, strict qword 5\n lea rcx, [rel $$]\n shr ecx, 20\n add eax, ecx\n" +
        "out 0xf4, al\n",
      "own.asm": "bits 64\n org 0x200000\n mov al, [abs value]\n out 0xf4, al\nvalue: db 11\n",
      "boot.asm":
        "mov al, [value]\n out 0xf4, al\n value: db 12\n times 510-($-$$) db 0\n dw 0xaa55",
      "sector.asm": "[bits 16]\norg 0x7c00\n mov al, [value]\n out 0xf4, al\nvalue: db 14\n" +
        "times 510 - ($ - $$) db 0\n dw 0xaa55\n",
      "macro.asm": "%macro end 1\n mov ax, %1\n out 0xf4, ax\n%endmacro\nglobal start\n" +
        "FOO: equ 16\nbits 16\nstart: end FOO\ntimes 510 - ($ - $$) db 0\n dw 0xaa55\n",
      "bare.asm": " push es\n mov ax, 17\n out 0xf4, ax\n times 510-($-$$) db 0\n dw 0xaa55",
      "late.asm": " mov rax, strict qword 15\n out 0xf4, al\nbits 16\n jmp $\n",
      "included.asm": '%include "number.inc"\n mov al, NUMBER\n out 0xf4, al\n',
      "number.inc": "NUMBER equ 13\n",
      "wrong.asm": "mov al, 1\n nonsense here\n",
    };
    const permissions = [...allow, "--allow-run=nasm"];
    await withFiles(files, async (folder) => {
      for (
        const [args, code] of [
          [["long.asm"], 6],
          [["long.asm", "--load-address", "0x300000"], 8],
          [["own.asm"], 11],
          [["boot.asm", "--protocol", "flat16"], 12],
          [["boot.asm", "--protocol", "flat32"], 12],
          [["included.asm"], 13],
          [["sector.asm"], 14],
          [["late.asm"], 15],
          [["macro.asm"], 16],
          [["bare.asm"], 17],
        ] as const
      ) {
        const result = await run(folder, args, { permissions });
        assertEquals(result, { code, stdout: "", stderr: "" }, args.join(" "));
      }
      const { code, stderr } = await run(folder, ["wrong.asm"], { permissions });
      assertEquals(code, 125);
      assertMatch(stderr, /^kvm: wrong\.asm: Cannot assemble line 2: .*\n$/);
    });
  },
});
