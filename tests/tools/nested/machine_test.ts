import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { NestedError } from "../../../tools/nested/error.ts";
import { LimitError, runMachine, StuckError } from "../../../tools/nested/machine.ts";
import { inFolder, needs } from "../support.ts";

const CONSOLE = 0x3f8;
const TERMINAL = 0x2f8;
const RESULT = 0x3e8;

Deno.test(
  needs("qemu-system-x86_64")("a machine's output and the status it leaves come out"),
  () =>
    inFolder(async (folder) => {
      const kernel = await multiboot(folder, [
        [RESULT, "booted 0.25\n"],
        [TERMINAL, "hello"],
        [RESULT, "status 200\n"],
      ], "reset");
      let text = "";
      const output = (bytes: Uint8Array) => void (text += new TextDecoder().decode(bytes));
      const ending = await runMachine({ kernel, disks: [], folder, limit: 60, output });
      assertEquals(ending, { status: 200, boot: 0.25 });
      assertEquals(text, "hello");
    }),
);

Deno.test(
  needs("qemu-system-x86_64")("a machine that hangs is cut off, and the console's end is shown"),
  () =>
    inFolder(async (folder) => {
      const kernel = await multiboot(folder, [
        [RESULT, "booted 0.25\n"],
        [CONSOLE, "one\r\ntwo\r\n"],
      ], "hang");
      let limit = 1;
      const cutOff = () =>
        assertRejects(
          () => runMachine({ kernel, disks: [], folder, limit, output: () => {} }),
          LimitError,
        );
      let error = await cutOff();
      // It may be over before QEMU has begun.
      while (error.message.includes("did not boot") && limit < 60) {
        limit *= 2;
        error = await cutOff();
      }
      assertStringIncludes(error.message, `after ${limit} s`);
      assertStringIncludes(error.message, "  one\n  two");
    }),
);

Deno.test(
  needs("qemu-system-x86_64")("a machine that has booted and says nothing any more is stuck"),
  () =>
    inFolder(async (folder) => {
      const kernel = await multiboot(folder, [[RESULT, "booted 0.25\n.\n"]], "hang");
      const machine = { kernel, disks: [], folder, limit: 60, output: () => {}, patience: 0.5 };
      const error = await assertRejects(() => runMachine(machine), StuckError);
      assertStringIncludes(error.message, "said nothing for 0.5 s");
    }),
);

Deno.test(
  needs("qemu-system-x86_64")("a machine that ends and leaves no status is an error"),
  () =>
    inFolder(async (folder) => {
      const kernel = await multiboot(folder, [[CONSOLE, "Kernel panic"]], "reset");
      const machine = { kernel, disks: [], folder, limit: 60, output: () => {} };
      const error = await assertRejects(() => runMachine(machine), NestedError);
      assertEquals(error instanceof LimitError, false);
      assertStringIncludes(error.message, "Kernel panic");
    }),
);

Deno.test(
  needs("qemu-system-x86_64")("an abort ends a machine at once, with its reason"),
  () =>
    inFolder(async (folder) => {
      const kernel = await multiboot(folder, [[TERMINAL, "on"]], "hang");
      const abort = new AbortController();
      const output = () => abort.abort(new Error("Ctrl-C"));
      const { signal } = abort;
      const machine = { kernel, disks: [], folder, limit: 60, output, signal };
      await assertRejects(() => runMachine(machine), Error, "Ctrl-C");
    }),
);

/**
 * A kernel that writes texts to ports and then hangs or resets the machine, in the format that QEMU
 * loads without a disk (Multiboot Specification 0.6.96, 3.1). It begins in 32-bit protected mode.
 */
async function multiboot(
  folder: string,
  texts: readonly (readonly [port: number, text: string])[],
  end: "hang" | "reset",
): Promise<string> {
  const address = 0x100000;
  const headerSize = 32;
  const magic = 0x1badb002;
  // Bit 16: the load addresses are in the header, and the file needs no ELF header.
  const flags = 0x10000;
  const code = texts.flatMap(([port, text]) => [
    ...[0x66, 0xba, port & 0xff, port >> 8], // mov dx, port
    ...[...new TextEncoder().encode(text)].flatMap((byte) => [0xb0, byte, 0xee]), // mov al; out
  ]);
  // mov al, 0xfe; out 0x64, al: the keyboard controller resets the processor. Then jmp $.
  code.push(...(end === "reset" ? [0xb0, 0xfe, 0xe6, 0x64] : []), 0xeb, 0xfe);
  const bytes = new Uint8Array(headerSize + code.length);
  const size = address + bytes.length;
  const header = [magic, flags, -(magic + flags), address, address, size, size];
  new Uint32Array(bytes.buffer, 0, 8).set([...header, address + headerSize]);
  bytes.set(code, headerSize);
  const path = `${folder}/kernel`;
  await Deno.writeFile(path, bytes);
  return path;
}
