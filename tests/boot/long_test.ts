import { assert, assertEquals } from "@std/assert";
import { Errno, KvmError, type StructInit } from "../../ffi/mod.ts";
import type { kvmSregs } from "../../ffi/uapi/mod.ts";
import { guests } from "../../guests/mod.ts";
import { CR0, CR4, EFER, RFLAGS } from "../../src/arch/x86/mod.ts";
import { longMode, LongSelector, readException } from "../../src/boot/mod.ts";
import { Cpuid, Kvm } from "../../src/kvm/mod.ts";
import { assertCode } from "../support/codes.ts";
import { needing } from "../support/host.ts";
import { code } from "../support/instructions.ts";
import { LooseMemory, NotedVcpu } from "../support/loose.ts";
import { needs } from "../support/needs.ts";
import { Machine } from "./support.ts";

const GIB = 2 ** 30;
/** CPUID leaf 0x80000001, EDX. */
const PDPE1GB = 1 << 26;
const gigabytePages = (() => {
  using kvm = Kvm.open();
  return ((kvm.getSupportedCpuid().find(0x8000_0001)?.edx ?? 0) & PDPE1GB) !== 0;
})();

/** Writes EAX to the address in RDI, reads it back into RBX and halts. */
const touch = code(
  ...[0x89, 0x07], // mov [rdi], eax
  ...[0x8b, 0x1f], // mov ebx, [rdi]
  ...[0xf4], // hlt
);

Deno.test("A guest in long mode prints, and sees protection and paging on", () => {
  using machine = new Machine();
  longMode(machine.vcpu, machine.memory, { code: guests.hello });
  assertEquals(machine.run(), { reason: "hlt", text: "Hello from long mode!\n" });
  const { rax, rbx } = machine.vcpu.getRegs();
  assertEquals([rax, rbx & (CR0.PE | CR0.PG)], [42n, CR0.PE | CR0.PG]);
});

Deno.test("A guest in long mode finds LME and LMA in EFER", () => {
  using machine = new Machine();
  longMode(machine.vcpu, machine.memory, { code: guests.msr });
  assertEquals(machine.run().reason, "hlt");
  assertEquals(machine.memory.readU64(0x2008) & (EFER.LME | EFER.LMA), EFER.LME | EFER.LMA);
});

Deno.test("The GDT in memory has the segments that the registers began with", () => {
  using machine = new Machine();
  const image = code(
    ...[0xb8, 0x10, 0x00, 0x00, 0x00], // mov eax, 0x10: data
    ...[0x8e, 0xd8], // mov ds, ax
    ...[0x8e, 0xd0], // mov ss, ax
    ...[0x6a, 0x08], // push 0x08: code
    ...[0x68, 0x12, 0x10, 0x00, 0x00], // push 0x1012
    ...[0x48, 0xcb], // retfq
    ...[0x8c, 0xc8], // mov eax, cs
    ...[0xf4], // hlt
  );
  longMode(machine.vcpu, machine.memory, { code: image });
  assertEquals(machine.run().reason, "hlt");
  assertEquals(machine.vcpu.getRegs().rax, BigInt(LongSelector.CODE));
});

Deno.test("Without an IDT, an exception in long mode is a shutdown", () => {
  using machine = new Machine();
  longMode(machine.vcpu, machine.memory, { code: guests.tripleFault });
  assertEquals(machine.run().reason, "shutdown");
});

Deno.test("The stack is aligned to 16 bytes, and registers begin as given", () => {
  using machine = new Machine();
  const registers = { rax: 1n, r15: 2n ** 64n - 1n, rflags: RFLAGS.DF };
  const boot = longMode(machine.vcpu, machine.memory, { code: code(0xf4), registers });
  const { rax, rbx, r15, rsp, rip, rflags } = machine.vcpu.getRegs();
  assertEquals([rax, rbx, r15, rip], [1n, 0n, 2n ** 64n - 1n, 0x1000n]);
  assertEquals(rflags, RFLAGS.DF | RFLAGS.FIXED);
  assertEquals(rsp, BigInt(boot.stack));
  assertEquals(boot.stack % 16, 0);
});

Deno.test("Code can be loaded anywhere and entered in its middle", () => {
  using machine = new Machine(1 << 20);
  const image = code(
    ...[0x0f, 0x0b], // ud2
    ...[0xb8, 0x2a, 0x00, 0x00, 0x00], // mov eax, 42
    ...[0xf4], // hlt
  );
  longMode(machine.vcpu, machine.memory, { code: image, at: 0x8_7654, entry: 0x8_7656 });
  assertEquals(machine.run().reason, "hlt");
  assertEquals(machine.vcpu.getRegs().rax, 42n);
});

Deno.test("A guest in long mode runs in 28 KiB of memory, and with a small map in 16", () => {
  for (const [size, map] of [[28 << 10, undefined], [16 << 10, 2 ** 21]] as const) {
    using machine = new Machine(size, 0x1000);
    longMode(machine.vcpu, machine.memory, { code: code(0x50, 0x58, 0xf4), map }); // push, pop, hlt
    assertEquals(machine.run().reason, "hlt");
  }
});

Deno.test("A guest reaches memory above 4 GiB, in its slot and in a slot up there", () => {
  using machine = new Machine(6 * GIB);
  machine.vm.addMemory({ size: 1 << 20, guestPhysAddr: 512 * GIB });
  for (const address of [5 * GIB, 512 * GIB + 0xf_fffc]) {
    const registers = { rax: 0x1234_5678n, rdi: BigInt(address) };
    longMode(machine.vcpu, machine.memory, { code: touch, registers });
    assertEquals(machine.run().reason, "hlt");
    assertEquals(machine.vcpu.getRegs().rbx, 0x1234_5678n);
    assertEquals(machine.memory.readU32(address), 0x1234_5678);
  }
});

Deno.test("A guest runs in memory that lies above 4 GiB alone", () => {
  for (const cpl of [0, 3] as const) {
    using machine = new Machine(1 << 20, 8 * GIB);
    const at = 8 * GIB + 0x1000;
    longMode(machine.vcpu, machine.memory, { code: code(0x50, 0x58, 0xf4), at, cpl });
    assertEquals(machine.run().reason, "hlt");
  }
});

Deno.test("Addresses below 4 GiB without memory are mapped: an access is an MMIO exit", () => {
  using machine = new Machine();
  const registers = { rax: 7n, rdi: 0xd000_0000n };
  longMode(machine.vcpu, machine.memory, { code: touch, registers });
  const exit = machine.vcpu.run();
  assert(exit.reason === "mmio");
  assertEquals([exit.physAddr, exit.isWrite, exit.value], [0xd000_0000, true, 7]);
});

Deno.test("What lies beyond the map is a page fault", () => {
  using machine = new Machine(4 << 20);
  const options = { code: touch, map: 2 << 20, idt: true, registers: { rdi: 0x20_0000n } };
  const boot = longMode(machine.vcpu, machine.memory, options);
  assert(boot.reserved.every(({ guestPhysAddr, size }) => guestPhysAddr + size <= 2 << 20));
  assertEquals(machine.run().reason, "hlt");
  const exception = readException(machine.memory, boot);
  assertEquals([exception?.name, exception?.cr2], ["#PF", 0x20_0000n]);
});

Deno.test(needing("1 GiB pages", gigabytePages, "A guest runs with the largest pages"), () => {
  for (const cpl of [0, 3] as const) {
    using machine = new Machine();
    const options = { code: guests.halt, pageSize: "1G", cpl } as const;
    const boot = longMode(machine.vcpu, machine.memory, options);
    assert(boot.pageTables.size <= 6 * 4096);
    assertEquals(machine.run().reason, "hlt");
    assertEquals(machine.vcpu.getRegs().rax, 42n);
  }
});

Deno.test("1 GiB pages are single entries that map each GiB to itself", () => {
  using loose = new LooseMemory([{ guestPhysAddr: 0, size: 1 << 16 }]);
  const options = { code: code(0xf4), pageSize: "1G" } as const;
  const boot = longMode(new NotedVcpu(), loose.memory, options);
  const { guestPhysAddr, size } = boot.pageTables;
  assertEquals(size, 2 * 4096);
  assertEquals(loose.memory.readU64(guestPhysAddr), BigInt(guestPhysAddr + 4096) | 7n);
  for (let gib = 0; gib < 4; gib++) {
    assertEquals(loose.memory.readU64(guestPhysAddr + 4096 + 8 * gib), BigInt(gib * GIB) | 0x87n);
  }
});

Deno.test("SSE works from the first instruction", () => {
  using machine = new Machine();
  const image = code(
    ...[0x0f, 0x57, 0xc0], // xorps xmm0, xmm0
    ...[0x66, 0x0f, 0x76, 0xc0], // pcmpeqd xmm0, xmm0: all ones
    ...[0x66, 0x0f, 0x7e, 0xc0], // movd eax, xmm0
    ...[0xf4], // hlt
  );
  // At level 3, where every backend has all instructions.
  longMode(machine.vcpu, machine.memory, { code: image, cpl: 3 });
  assertEquals(machine.run().reason, "hlt");
  assertEquals(machine.vcpu.getRegs().rax, 0xffff_ffffn);
  assertEquals(machine.vcpu.getSregs().cr4 & CR4.OSFXSR, CR4.OSFXSR);
});

Deno.test("A guest at level 0 may go to level 3 by itself", () => {
  using machine = new Machine();
  longMode(machine.vcpu, machine.memory, { code: guests.compute, registers: { rdi: 1n } });
  assertEquals(machine.run().reason, "hlt");
  assertEquals(machine.memory.readU64(0x2000), 1442695040888963407n);
  assertEquals(machine.memory.readU64(0x2010) & 3n, 3n);
});

Deno.test(
  needs("Two vCPUs of a VM with an irqchip start at once, each on its stack", "IRQCHIP"),
  () => {
    using kvm = Kvm.open();
    using vm = kvm.createVm();
    vm.createIrqchip();
    const memory = vm.addMemory({ size: 1 << 17 });
    const image = code(
      ...[0x50], // push rax
      ...[0xe6, 0xf4], // out 0xf4, al: HLT would not leave the kernel
    );
    const stacks: number[] = [];
    let avoid: { guestPhysAddr: number; size: number }[] = [];
    for (const id of [0, 1]) {
      const vcpu = vm.createVcpu(id);
      const registers = { rax: BigInt(10 + id) };
      const boot = longMode(vcpu, memory, { code: image, registers, avoid });
      avoid = [...avoid, ...boot.reserved];
      const exit = vcpu.run();
      assert(exit.reason === "io");
      assertEquals([exit.port, exit.value], [0xf4, 10 + id]);
      stacks.push(boot.stack);
    }
    assertEquals(stacks.map((stack) => memory.readU64(stack - 8)), [10n, 11n]);
  },
);

Deno.test("Options that long mode can't have are refused", () => {
  using loose = new LooseMemory([{ guestPhysAddr: 0, size: 4 << 20 }]);
  const start = (options: object) => () =>
    longMode(new NotedVcpu(), loose.memory, { code: code(0xf4), ...options });
  for (
    const options of [
      { pageSize: "4K" },
      { cpl: 1 },
      { map: 0 },
      { map: -(2 ** 21) },
      { map: 2 ** 21 + 4096 },
      { map: 2 ** 48 },
      { map: 2 ** 21, pageSize: "1G" },
      { idt: { port: 0 } },
      { idt: { port: 0x1_0000 } },
      { idt: { handlers: { 256: 0x1000 } } },
      { idt: { handlers: { 6: -1 } } },
      { idt: { handlers: { 6: 2 ** 47 } } },
      { idt: { handlers: { six: 0x1000 } } },
      { idt: { handlers: { [-1]: 0x1000 } } },
      { idt: { handlers: { 6: Symbol("handler") } } },
      { idt: { handlers: null } },
      { idt: { port: "0xf4" } },
      { idt: null },
      { idt: "yes" },
      { cpl: Symbol("3") },
      { map: 2n ** 21n },
      { map: Symbol("all") },
    ]
  ) assertCode("EINVAL", start(options), Deno.inspect(options));
  assertCode("EFAULT", start({ map: 2 ** 21, at: 2 ** 21 }), "code beyond the map");
  assertCode("E2BIG", start({ map: 2 ** 21, at: 2 ** 21 - 1, code: code(0x90, 0xf4) }));
  assertCode("EINVAL", start({ map: 2 ** 21, stack: 3 << 20 }), "a stack beyond the map");
});

/** A vCPU of Linux 7.3: no EFER bits that its CPUID lacks. */
class StrictVcpu extends NotedVcpu {
  leaves = new Cpuid();

  override getCpuid(): Cpuid {
    return this.leaves;
  }

  override setCpuid(cpuid: Cpuid): void {
    this.leaves = cpuid;
  }

  override setSregs(sregs: StructInit<typeof kvmSregs>): void {
    if ((sregs.efer ?? 0n) !== 0n && !this.leaves.has("lm")) {
      const operation = "set special registers";
      throw new KvmError({ operation, errno: Errno.EINVAL, call: "KVM_SET_SREGS" });
    }
    super.setSregs(sregs);
  }
}

Deno.test("A vCPU without CPUID gets the baseline's where long mode is refused without", () => {
  using loose = new LooseMemory([{ guestPhysAddr: 0, size: 1 << 20 }]);
  const vcpu = new StrictVcpu();
  longMode(vcpu, loose.memory, { code: code(0xf4) });
  assertEquals(vcpu.sregs.efer, EFER.LME | EFER.LMA);
  assertEquals(vcpu.leaves.entries, Cpuid.baseline().entries);
});

Deno.test("CPUID that was set and has no long mode is the caller's, and the refusal stands", () => {
  using loose = new LooseMemory([{ guestPhysAddr: 0, size: 1 << 20 }]);
  const vcpu = new StrictVcpu();
  const leaves = Cpuid.baseline().disable("lm");
  vcpu.leaves = leaves;
  assertCode("EINVAL", () => longMode(vcpu, loose.memory, { code: code(0xf4) }));
  assertEquals(vcpu.leaves, leaves);
});
