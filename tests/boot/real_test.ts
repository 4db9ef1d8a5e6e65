import { assertEquals } from "@std/assert";
import { guests } from "../../guests/mod.ts";
import { CR0 } from "../../src/arch/x86/mod.ts";
import { longMode, realMode } from "../../src/boot/mod.ts";
import { assertCode } from "../support/codes.ts";
import { code } from "../support/instructions.ts";
import { LooseMemory, NotedVcpu } from "../support/loose.ts";
import { Machine } from "./support.ts";

const MEBIBYTE = 1 << 20;

Deno.test("A guest in real mode prints, and sees paging and protection off", () => {
  using machine = new Machine();
  realMode(machine.vcpu, machine.memory, { code: guests.helloReal });
  assertEquals(machine.run(), { reason: "hlt", text: "Hello from real mode!\n" });
  const { rax, rbx } = machine.vcpu.getRegs();
  assertEquals([rax, rbx & (CR0.PE | CR0.PG)], [42n, 0n]);
  assertEquals(machine.memory.readU32(0x2000), 42);
});

Deno.test("A guest in real mode runs in 4 KiB of memory, stack included", () => {
  using machine = new Machine(4096, 0x1000);
  const image = code(
    ...[0x6a, 0x2a], // push 42
    ...[0x58], // pop ax
    ...[0xf4], // hlt
  );
  const { stack } = realMode(machine.vcpu, machine.memory, { code: image });
  assertEquals([machine.run().reason, stack], ["hlt", 0x2000]);
  assertEquals(machine.vcpu.getRegs().rax, 42n);
  assertEquals(machine.memory.readU16(stack - 2), 42);
});

Deno.test("The first push lands just below the stack's address, whatever segment that takes", () => {
  const image = code(
    ...[0x68, 0x34, 0x12], // push 0x1234
    ...[0x8c, 0xd0], // mov ax, ss
    ...[0xf4], // hlt
  );
  for (
    const [stack, segment] of [[undefined, 0], [0x8000, 0], [0x1_0000, 0], [0x1_0002, 1], [
      MEBIBYTE,
      0xf000,
    ]] as const
  ) {
    using machine = new Machine(MEBIBYTE);
    const boot = realMode(machine.vcpu, machine.memory, { code: image, stack });
    assertEquals(boot.stack, stack ?? 0x1_0000);
    assertEquals(machine.run().reason, "hlt");
    assertEquals(machine.memory.readU16(boot.stack - 2), 0x1234);
    assertEquals(machine.vcpu.getRegs().rax, BigInt(segment));
  }
});

Deno.test("An entry of segment and offset sets CS, for code anywhere below 1 MiB", () => {
  using machine = new Machine(MEBIBYTE);
  const image = code(
    ...[0x90], // nop; the entry is behind it
    ...[0x8c, 0xc8], // mov ax, cs
    ...[0xe8, 0x00, 0x00], // call the next instruction
    ...[0x5b], // pop bx
    ...[0xf4], // hlt
  );
  const at = 0xf_fff0;
  const entry = { segment: 0xf000, offset: 0xfff1 };
  const boot = realMode(machine.vcpu, machine.memory, { code: image, at, entry });
  assertEquals([machine.run().reason, boot.entry], ["hlt", at + 1]);
  const { rax, rbx } = machine.vcpu.getRegs();
  assertEquals([rax, rbx], [0xf000n, 0xfff6n]);
});

Deno.test("Registers begin as given, and the others with 0", () => {
  using machine = new Machine();
  const registers = { rax: 0x1234_5678n, rsi: 5n };
  machine.vcpu.setRegs({ rbx: 1n, r15: 2n });
  realMode(machine.vcpu, machine.memory, { code: code(0xf4), registers });
  const { rax, rbx, rdx, rsi, r15, rflags } = machine.vcpu.getRegs();
  assertEquals([rax, rbx, rdx, rsi, r15, rflags], [0x1234_5678n, 0n, 0n, 5n, 0n, 2n]);
});

Deno.test("An exception goes through the interrupt vectors at address 0", () => {
  using machine = new Machine();
  const image = code(
    ...[0xf6, 0xf1], // div cl, by zero
    ...[0xb8, 0x2a, 0x00], // mov ax, 42: the handler
    ...[0xf4], // hlt
  );
  machine.memory.writeU16(0, 0x1002); // vector 0: offset, segment
  realMode(machine.vcpu, machine.memory, { code: image });
  assertEquals(machine.run().reason, "hlt");
  assertEquals(machine.vcpu.getRegs().rax, 42n);
});

Deno.test("A vCPU that was in long mode can begin again in real mode", () => {
  using machine = new Machine();
  longMode(machine.vcpu, machine.memory, { code: guests.hello });
  assertEquals(machine.run().text, "Hello from long mode!\n");
  realMode(machine.vcpu, machine.memory, { code: guests.helloReal });
  assertEquals(machine.run(), { reason: "hlt", text: "Hello from real mode!\n" });
});

Deno.test("What real mode can't reach is refused", () => {
  using loose = new LooseMemory([{ guestPhysAddr: 0, size: 2 * MEBIBYTE }]);
  const start = (options: object) => () =>
    realMode(new NotedVcpu(), loose.memory, { code: code(0x90, 0xf4), ...options });
  assertCode("EFAULT", start({ at: MEBIBYTE }));
  assertCode("E2BIG", start({ at: MEBIBYTE - 1 }));
  assertCode("EINVAL", start({ at: 0x1_0000 }), "an entry above 64 KiB without a segment");
  assertCode("EINVAL", start({ entry: { segment: 0x1_0000, offset: 0 } }));
  assertCode("EINVAL", start({ entry: { segment: 0x100, offset: 2 } }), "an entry behind the code");
  assertCode("EINVAL", start({ stack: MEBIBYTE + 16 }));
  assertCode("EINVAL", start({ stack: 0x8001 }));
});
