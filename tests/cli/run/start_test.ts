import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { PM1_CONTROL, SLP_TYP_S5 } from "../../../src/devices/mod.ts";
import { sendAtOnce, tripleFault } from "../../support/console_guests.ts";
import { hasProgram } from "../../support/host.ts";
import {
  debugExit,
  inb,
  movDx,
  movEax,
  outAl,
  outb,
  outw,
  print,
  spin,
} from "../../support/instructions.ts";
import { supportedCpuid } from "../../support/machine.ts";
import { isEmulated, unemulated } from "../../support/rounds.ts";
import { kvm } from "../support.ts";
import { allow, run, runCode, runHere, spawn, withFiles } from "./support.ts";

const powerOff = outw(0x604, PM1_CONTROL.SLP_EN | SLP_TYP_S5 << 10);

Deno.test(unemulated("missing permissions are told with the flag that gives them"), async () => {
  await withFiles({ "guest.bin": debugExit(0), "guest.asm": "hlt" }, async (folder) => {
    const flat = ["guest.bin", "--protocol", "flat64"];
    for (
      const [permissions, args, flag] of [
        [[], flat, "--allow-(ffi|read)"],
        [["--allow-ffi"], flat, "--allow-read"],
        [["--allow-read"], flat, "--allow-ffi"],
        [allow, [...flat, "--serial", "file:log"], "--allow-write"],
        ...(hasProgram("nasm") ? [[allow, ["guest.asm"], "--allow-run=nasm"]] as const : []),
      ] as const
    ) {
      const { code, stdout, stderr } = await run(folder, args, { permissions });
      assertEquals([code, stdout], [125, ""], stderr);
      assertMatch(stderr, new RegExp(`^kvm: .*${flag}\\n$`));
    }
  });
});

Deno.test("the guest's output is on standard output and nothing else, its code the status", async () => {
  assertEquals(await runCode([...print("hello\n"), ...debugExit(42)]), {
    code: 42,
    stdout: "hello\n",
    stderr: "",
  });
  assertEquals(await runHere([...print("bye"), ...powerOff, ...spin]), {
    code: 0,
    stdout: "bye",
    stderr: "",
  });
});

Deno.test("of a code that a process can't end with, the low 8 bits are the status", async () => {
  // mov eax, 0x1234; out 0xf4, eax
  const { code } = await runHere([...movEax(0x1234), 0xe7, 0xf4, ...spin]);
  assertEquals(code, 0x34);
});

Deno.test("a reset starts anew, and with --no-reboot it ends", async () => {
  const reset = [...outb(0xcf9, 6), ...spin];
  const ended = await runHere([...print("once"), ...reset], ["--no-reboot"]);
  assertEquals([ended.code, ended.stdout, ended.stderr], [0, "once", ""]);
  // What is in memory stays: the second time, the cell at 0x200000 is 1. mov ebx, 0x200000
  const cell = [0xbb, 0, 0, 0x20, 0];
  const end = debugExit(9);
  const again = await runHere([
    ...print("x"),
    ...cell,
    ...[0x80, 0x3b, 1, 0x75, end.length], // cmp byte [rbx], 1; jne over
    ...end,
    ...[0xc6, 0x03, 1], // mov byte [rbx], 1
    ...reset,
  ]);
  assertEquals([again.code, again.stdout], [9, "xx"]);
});

Deno.test("a guest that crashes exits with 126, its whole report on standard error", async () => {
  const { code, stdout, stderr } = await runHere([...print("last words\n"), ...tripleFault]);
  assertEquals([code, stdout], [126, "last words\n"]);
  assertMatch(stderr, /^kvm: vCPU 0: triple fault/);
  // Where KVM resets the vCPU at once, there is nothing left to see.
  assertMatch(stderr, /Bytes at RIP: 0f 0b|KVM has reset the vCPU[^]*\nRIP 000000000000fff0/);
  assertMatch(stderr, /^RAX [0-9a-f]{16} /m);
  assertMatch(stderr, /^CR0 /m);
});

Deno.test("--triple-fault reset makes of a triple fault what a PC does", async () => {
  const args = ["--triple-fault", "reset", "--no-reboot"];
  const { code, stdout, stderr } = await runHere([...print("x"), ...tripleFault], args);
  assertEquals([code, stdout, stderr], [0, "x", ""]);
});

Deno.test("--timeout ends a guest that does not end, with 124", async () => {
  // Enough for the machine to start.
  const seconds = isEmulated() ? "3" : "1.5";
  const args = ["--timeout", seconds];
  const { code, stdout, stderr } = await runHere([...print("x"), ...spin], args);
  assertEquals([code, stdout], [124, "x"]);
  assertEquals(stderr, `kvm: The guest had not ended after ${seconds} s (--timeout)\n`);
});

Deno.test("--boot-timer tells when the guest wrote to it, on standard error", async () => {
  // mov eax, 0xd0000000; mov byte [rax], 123
  const code = [...movEax(0xd000_0000), 0xc6, 0x00, 123, ...debugExit(0)];
  const { stderr, stdout } = await runHere(code, ["--boot-timer"]);
  assertEquals(stdout, "");
  assertMatch(stderr, /^kvm: boot timer: \d+\.\d ms, point 123\n$/);
  assertEquals((await runHere(code)).stderr, "");
});

Deno.test("files given with --fw-cfg are in the guest's fw_cfg directory", async () => {
  // Selector 0x19 is the directory; each entry has 64 bytes (Linux: qemu_fw_cfg.c).
  const next = [...inb(0x511), ...outAl(0x3f8)];
  const code = [
    ...[...movDx(0x510), ...movEax(0x19), 0x66, 0xef],
    ...Array.from({ length: 4 + 64 * 8 }, () => next).flat(),
    ...debugExit(0),
  ];
  const args = (folder: string) => ["--fw-cfg", `opt/motd=${folder}/motd`];
  const { code: status, stdout } = await runHere(code, args, { motd: "hello" });
  assertEquals(status, 0);
  assertStringIncludes(stdout, "opt/motd\0");
});

Deno.test("several vCPUs, more memory and a CPU model are there", async () => {
  // shr eax, 8 between them
  const outEachByte = [0, 1, 2, 3].flatMap(() => [...outAl(0x3f8), 0xc1, 0xe8, 8]);
  const code = [
    // The RTC's memory has that above 16 MiB, in 64 KiB.
    ...[0x34, 0x35].flatMap((index) => [...outb(0x70, index), ...inb(0x71), ...outAl(0x3f8)]),
    // mov eax, ebx; mov eax, edi, which has been edx; mov eax, ecx: the vendor. Not every KVM lets a
    // model hide a feature from its guests.
    ...[...movEax(0), 0x0f, 0xa2, 0x89, 0xd7],
    ...[0xd8, 0xf8, 0xc8].flatMap((operands) => [0x89, operands, ...outEachByte]),
    // mov eax, 1; cpuid; shr ebx, 16; mov al, bl; out 0xf4, al: logical processors
    ...[...movEax(1), 0x0f, 0xa2, 0xc1, 0xeb, 16, 0x88, 0xd8, 0xe6, 0xf4, ...spin],
  ];
  const { vendor } = supportedCpuid();
  const many = ["--cpus", "2", "-m", "512", "--cpu", "host,-avx,vendor=DenoDenoDeno"];
  for (
    const [args, processors, mebibytes, seen] of [
      [many, 2, 512, "DenoDenoDeno"],
      [[], 1, 256, vendor],
    ] as const
  ) {
    const above = (mebibytes - 16) * 16;
    const stdout = String.fromCharCode(above & 0xff, above >> 8) + seen;
    const result = await runHere(code, args);
    assertEquals(result, { code: processors, stdout, stderr: "" }, args.join(" "));
  }
});

Deno.test("modules are in a Multiboot kernel's memory, each with its text", async () => {
  await withFiles(
    { kernel: multibootPrinter(), first: "one\0", "second.img": "2" },
    async (folder) => {
      const kernel = [`${folder}/kernel`, "--serial", `file:${folder}/out`];
      const modules = [`${folder}/first=a=b, c`, `${folder}/second.img`];
      const args = modules.flatMap((module) => ["--module", module]);
      const { code, stdout, stderr } = await kvm("run", ...kernel, ...args);
      assertEquals([code, stdout, stderr], [modules.length, "", ""]);
      assertEquals(await Deno.readTextFile(`${folder}/out`), "one\0|a=b, c\n2|\n");
    },
  );
});

/** A Multiboot kernel that prints each module and its text, and ends with their number. */
function multibootPrinter(): Uint8Array<ArrayBuffer> {
  const [MAGIC, ADDRESS_FIELDS, BASE, HEADER_BYTES] = [0x1bad_b002, 0x1_0000, 0x10_0000, 32];
  const header = Uint32Array.of(
    ...[MAGIC, ADDRESS_FIELDS, -(MAGIC + ADDRESS_FIELDS)],
    ...[BASE, BASE, 0, 0, BASE + HEADER_BYTES],
  );
  const text = [
    ...[0xac, 0x84, 0xc0], // next: lodsb; test al, al
    ...[0x74, 3], // jz done
    ...[0xee, 0xeb, 0xf8], // out dx, al; jmp next; done:
  ];
  const module = [
    ...[0x8b, 0x75, 0], // mov esi, [ebp]
    ...[0x8b, 0x4d, 4, 0x29, 0xf1], // mov ecx, [ebp + 4]; sub ecx, esi
    ...[0xf3, 0x6e], // rep outsb
    ...[0xb0, "|".charCodeAt(0), 0xee], // mov al, '|'; out dx, al
    ...[0x8b, 0x75, 8], // mov esi, [ebp + 8]
    ...text,
    ...[0xb0, "\n".charCodeAt(0), 0xee], // mov al, 10; out dx, al
    ...[0x83, 0xc5, 16, 0x4f], // add ebp, 16; dec edi
  ];
  const code = [
    ...[0xfc, ...movDx(0x3f8)], // cld
    ...[0x8b, 0x7b, 20, 0x8b, 0x6b, 24], // mov edi, [ebx + 20]; mov ebp, [ebx + 24]
    ...[0x85, 0xff, 0x74, module.length + 2], // test edi, edi; jz over all of them
    ...module,
    ...[0x75, 0x100 - (module.length + 2)], // jnz to the next module
    ...[0x8a, 0x43, 20, 0xe6, 0xf4], // mov al, [ebx + 20]; out 0xf4, al
    ...spin,
  ];
  return Uint8Array.of(...new Uint8Array(header.buffer), ...code);
}

/** mov eax, the boot timer; mov byte [rax], 123; and the end, with 3 */
const markThenExit = [...movEax(0xd000_0000), 0xc6, 0x00, 123, ...debugExit(3)];

Deno.test(unemulated("output arrives whole, however late its reader begins"), async () => {
  // As many bytes as a pipe and the machine hold, and so many that the guest has to wait.
  await Promise.all([90_000, 200_000].map(async (count) => {
    const bytes = Uint8Array.from({ length: count }, (_, at) => 33 + at % 89);
    const guest = sendAtOnce(bytes, markThenExit);
    await withFiles({ "guest.bin": guest }, async (folder) => {
      const args = ["guest.bin", "--protocol", "flat64", "--boot-timer"];
      await using child = spawn(folder, args);
      await child.stdin.close();
      const [first, all] = child.stderr.tee();
      const complaints = new Response(all).text();
      // The guest has written all of it, if it ever does before somebody reads.
      if (count < 100_000) await first.getReader().read();
      // Longer than a machine's own patience at its end, which is 2 s.
      await new Promise((resolve) => setTimeout(resolve, 3000));
      const output = new Uint8Array(await new Response(child.stdout).arrayBuffer());
      assertMatch(await complaints, /^kvm: boot timer: .*, point 123\n$/);
      assertEquals((await child.status).code, 3);
      assertEquals(output.length, count);
      assert(output.every((byte, at) => byte === bytes[at]));
    });
  }));
});

Deno.test(unemulated("nobody has to wait for a reader that never comes"), async () => {
  const guest = sendAtOnce(new Uint8Array(90_000), markThenExit);
  await withFiles({ "guest.bin": guest }, async (folder) => {
    const args = ["guest.bin", "--protocol", "flat64", "--boot-timer"];
    {
      await using child = spawn(folder, [...args, "--timeout", "5"]);
      const complaints = new Response(child.stderr).text();
      assertEquals((await child.status).code, 124);
      assertMatch(await complaints, /\nkvm: The guest has ended, but not all .* --timeout\n$/);
      await child.stdout.cancel();
    }
    await using child = spawn(folder, args);
    await child.stderr.pipeTo(
      new WritableStream({ write: () => child.kill("SIGINT") }),
    );
    const { signal } = await child.status;
    assertEquals(signal, "SIGINT");
    await child.stdout.cancel();
  });
});
