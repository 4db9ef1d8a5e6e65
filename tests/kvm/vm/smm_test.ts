/**
 * System management mode (SDM volume 3, "System Management Mode"; APM volume 2, chapter 10): an
 * SMI takes the vCPU to a handler in memory of its own, which the guest cannot see.
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { Cap, MemFlag, RunFlag } from "../../../ffi/uapi/mod.ts";
import { longMode } from "../../../src/boot/mod.ts";
import { Kvm, type Vcpu, type Vm } from "../../../src/kvm/mod.ts";
import type { MemorySlot } from "../../../src/memory/mod.ts";
import { assertCode } from "../../support/codes.ts";
import { needing } from "../../support/host.ts";
import { runUntil, supportedCpuid } from "../../support/machine.ts";
import { needs } from "../../support/needs.ts";

/** SMBASE after a reset; the handler lies 0x8000 behind it, what is saved at its segment's end. */
const SMBASE = 0x30000;
const HANDLER = SMBASE + 0x8000;
const SMRAM = 0x10000;
const COUNT = SMBASE + 0x100;

/** hlt; out 0x80, al; mov eax, [HANDLER]; out 0x81, eax; hlt */
const guest = [
  ...[0xf4, 0xe6, 0x80],
  ...[0x8b, 0x04, 0x25, 0x00, 0x80, 0x03, 0x00],
  ...[0xe7, 0x81, 0xf4],
];

/** inc dword [cs:0x100]; mov al, 0x5a; out 0xb2, al; rsm: 16-bit code. */
const handler = Uint8Array.of(
  ...[0x2e, 0x66, 0xff, 0x06, 0x00, 0x01],
  ...[0xb0, 0x5a, 0xe6, 0xb2],
  ...[0x0f, 0xaa],
);

interface Smm extends Disposable {
  readonly vm: Vm;
  readonly vcpu: Vcpu;
  readonly memory: MemorySlot;
  readonly smram: MemorySlot;
}

/** A guest that has halted, with a handler in place. */
function halted(): Smm {
  using kvm = Kvm.open();
  const vm = kvm.createVm();
  const memory = vm.addMemory({ size: 2 << 20 });
  const smram = vm.addMemory({ size: SMRAM, guestPhysAddr: SMBASE, addressSpace: 1 });
  smram.writeBytes(HANDLER, handler);
  const vcpu = vm.createVcpu(0);
  vcpu.setCpuid(supportedCpuid());
  longMode(vcpu, memory, { code: Uint8Array.from(guest), registers: { rax: 0x77n } });
  runUntil(vcpu, "hlt");
  return { vm, vcpu, memory, smram, [Symbol.dispose]: () => vm.close() };
}

const CAPS = ["X86_SMM", "MULTI_ADDRESS_SPACE"] as const;

Deno.test(
  needs("an SMI runs its handler, and RSM goes on with the guest as it was", ...CAPS),
  () => {
    using machine = halted();
    const { vcpu, smram } = machine;
    vcpu.smi();
    const out = runUntil(vcpu, "io");
    assertEquals([out.port, out.value, vcpu.flags & RunFlag.SMM], [0xb2, 0x5a, RunFlag.SMM]);
    assertEquals(vcpu.getVcpuEvents().smi.smm, 1);
    const next = runUntil(vcpu, "io");
    // The handler's AL was its own: RSM has brought the guest's back.
    assertEquals([next.port, next.value, vcpu.flags & RunFlag.SMM], [0x80, 0x77, 0]);
    assertEquals(smram.readU32(COUNT), 1);
  },
);

Deno.test(
  needs("the guest can't see the handler's memory, nor is it the VM's for the host", ...CAPS),
  () => {
    using machine = halted();
    const { vm, vcpu, memory, smram } = machine;
    memory.writeU32(HANDLER, 0x1234_5678);
    vcpu.smi();
    runUntil(vcpu, "io");
    runUntil(vcpu, "io");
    assertEquals(runUntil(vcpu, "io").value, 0x1234_5678);
    assertEquals(vm.memory.slots, [memory]);
    assertEquals(vm.smmMemory.slots, [smram]);
    assertEquals([memory.slot, smram.slot], [0, 0x10000]);
    assertEquals(vm.smmMemory.readU8(HANDLER), handler[0]);
    assertEquals(vm.memory.readU32(COUNT), 0);
  },
);

Deno.test(needs("a vCPU in SMM is saved and goes on in another one", ...CAPS), () => {
  using from = halted();
  from.vcpu.smi();
  runUntil(from.vcpu, "io");
  // The OUT is over only with the next run.
  from.vcpu.requestImmediateExit();
  runUntil(from.vcpu, "intr");
  using to = halted();
  to.vcpu.setVcpuEvents(from.vcpu.getVcpuEvents());
  to.vcpu.setSregs(from.vcpu.getSregs());
  to.vcpu.setRegs(from.vcpu.getRegs());
  to.smram.all.set(from.smram.all);
  assertEquals(to.vcpu.getVcpuEvents().smi.smm, 1);
  const next = runUntil(to.vcpu, "io");
  assertEquals([next.port, next.value], [0x80, 0x77]);
});

Deno.test(needs("what a handler writes to is tracked like the guest's memory", ...CAPS), () => {
  using machine = halted();
  const { vm, vcpu, smram } = machine;
  using tracker = vm.trackDirty();
  assertEquals(smram.flags & MemFlag.LOG_DIRTY_PAGES, MemFlag.LOG_DIRTY_PAGES);
  vcpu.smi();
  runUntil(vcpu, "io");
  const dirty = tracker.collect().filter(({ slot }) => slot === smram.slot);
  // The counter's page, and the last, where the processor saves its state; not those untouched.
  const isDirty = (address: number) =>
    dirty.some(({ guestPhysAddr: start, size }) => address >= start && address < start + size);
  assertEquals([0, 0x4000, 0xf000].map((at) => isDirty(SMBASE + at)), [true, false, true]);
});

Deno.test(
  needs("memory of system management mode is removed, and gone with the VM", ...CAPS),
  () => {
    using machine = halted();
    const { vm, smram } = machine;
    vm.removeMemory(smram);
    assertEquals([vm.smmMemory.slots.length, smram.size], [0, 0]);
    assertCode("ENOENT", () => vm.removeMemory(smram));
    const again = vm.addMemory({ size: SMRAM, guestPhysAddr: SMBASE, addressSpace: 1 });
    assertCode(
      "EEXIST",
      () => vm.addMemory({ size: 4096, guestPhysAddr: SMBASE, addressSpace: 1 }),
    );
    vm.close();
    assertEquals(again.size, 0);
  },
);

Deno.test("an address space that there is not is refused", () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  for (const addressSpace of [-1, 2, 0.5, "1", null]) {
    const options = { size: 4096, addressSpace: addressSpace as 0 };
    const error = assertCode("EINVAL", () => vm.addMemory(options));
    assertStringIncludes(error.message, "address space is 0 or 1");
  }
  assertEquals(vm.memory.slots, []);
});

Deno.test(needing("a host without SMM", lacksSpaces(), "its address space says so"), () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  const error = assertCode("EOPNOTSUPP", () => vm.addMemory({ size: 4096, addressSpace: 1 }));
  assertStringIncludes(error.message, "MULTI_ADDRESS_SPACE");
});

function lacksSpaces(): boolean {
  using kvm = Kvm.open();
  return kvm.check(Cap.MULTI_ADDRESS_SPACE) === 0;
}
