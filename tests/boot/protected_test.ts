import { assertEquals, assertStringIncludes } from "@std/assert";
import { guests } from "../../guests/mod.ts";
import { CR0, CR4 } from "../../src/arch/x86/mod.ts";
import { FlatSelector, pagedMode, protectedMode } from "../../src/boot/mod.ts";
import { assertCode } from "../support/codes.ts";
import { needing } from "../support/host.ts";
import { code } from "../support/instructions.ts";
import { LooseMemory, NotedVcpu } from "../support/loose.ts";
import { Machine } from "./support.ts";

/** Whether a vCPU keeps CR0.PG outside long mode. */
const legacyPaging = (() => {
  using machine = new Machine();
  machine.vcpu.setSregs({ cr0: CR0.PE | CR0.ET | CR0.PG, cr4: CR4.PSE });
  return (machine.vcpu.getSregs().cr0 & CR0.PG) !== 0n;
})();

/** Loads every segment register anew from the GDT, pushes CR0 and halts. */
const reload = code(
  ...[0xb8, 0x10, 0x00, 0x00, 0x00], // mov eax, 0x10: data
  ...[0x8e, 0xd8], // mov ds, ax
  ...[0x8e, 0xd0], // mov ss, ax
  ...[0xea, 0x10, 0x10, 0x00, 0x00, 0x08, 0x00], // jmp 0x08:0x1010: code
  ...[0x0f, 0x20, 0xc3], // mov ebx, cr0
  ...[0x53], // push ebx
  ...[0x8c, 0xc8], // mov eax, cs
  ...[0xf4], // hlt
);

Deno.test("A guest in protected mode prints, and sees protection on and paging off", () => {
  using machine = new Machine();
  protectedMode(machine.vcpu, machine.memory, { code: guests.helloProtected });
  assertEquals(machine.run(), { reason: "hlt", text: "Hello from protected mode!\n" });
  const { rax, rbx } = machine.vcpu.getRegs();
  assertEquals([rax, rbx & (CR0.PE | CR0.PG)], [42n, CR0.PE]);
});

Deno.test("The GDT in memory has the segments that the registers began with", () => {
  using machine = new Machine(4096, 0x1000);
  const { stack } = protectedMode(machine.vcpu, machine.memory, { code: reload });
  assertEquals(machine.run().reason, "hlt");
  assertEquals(machine.vcpu.getRegs().rax, BigInt(FlatSelector.CODE));
  assertEquals(BigInt(machine.memory.readU32(stack - 4)), machine.vcpu.getRegs().rbx);
});

Deno.test("Without an IDT, an exception in protected mode is a shutdown", () => {
  using machine = new Machine();
  protectedMode(machine.vcpu, machine.memory, { code: code(0x0f, 0x0b) }); // ud2
  assertEquals(machine.run().reason, "shutdown");
});

Deno.test(needing("paging outside long mode", legacyPaging, "A guest in paged mode prints"), () => {
  using machine = new Machine();
  pagedMode(machine.vcpu, machine.memory, { code: guests.helloPaged });
  assertEquals(machine.run().text, "Hello from protected mode with paging!\n");
  const { rax, rbx } = machine.vcpu.getRegs();
  assertEquals([rax, rbx & (CR0.PE | CR0.PG)], [42n, CR0.PE | CR0.PG]);
});

Deno.test(
  needing("paging outside long mode", legacyPaging, "A guest in paged mode runs in 8 KiB"),
  () => {
    using machine = new Machine(8192, 0x1000);
    pagedMode(machine.vcpu, machine.memory, { code: reload });
    assertEquals(machine.run().reason, "hlt");
  },
);

Deno.test("Where KVM drops CR0.PG outside long mode, paged mode says so", () => {
  using loose = new LooseMemory([{ guestPhysAddr: 0, size: 1 << 16 }]);
  const vcpu = new NotedVcpu();
  vcpu.getSregs = () => ({ cr0: CR0.PE });
  const start = () => pagedMode(vcpu, loose.memory, { code: guests.helloPaged });
  assertStringIncludes(assertCode("EOPNOTSUPP", start).message, "long mode only");
});

Deno.test("Paged mode's CR3 leads to tables that map 4 GiB to themselves", () => {
  using loose = new LooseMemory([{ guestPhysAddr: 0, size: 1 << 16 }]);
  const vcpu = new NotedVcpu();
  const boot = pagedMode(vcpu, loose.memory, { code: guests.helloPaged });
  const { cr0 = 0n, cr3 = 0n, cr4 = 0n } = vcpu.sregs;
  assertEquals(cr3, BigInt(boot.pageTables.guestPhysAddr));
  assertEquals(cr0 & (CR0.PE | CR0.PG), CR0.PE | CR0.PG);
  assertEquals(cr4 & (CR4.PSE | CR4.PAE), CR4.PSE);
  assertEquals(loose.memory.readU32(boot.pageTables.guestPhysAddr + 4 * 5), 5 * 2 ** 22 + 0x87);
});
