import { assert, assertEquals } from "@std/assert";
import { RunFlag, VcpuEventFlag } from "../../../ffi/uapi/mod.ts";
import { CR4, NMI_VECTOR, Vector } from "../../../src/arch/x86/mod.ts";
import { longMode, readException, realMode } from "../../../src/boot/mod.ts";
import { Kvm } from "../../../src/kvm/mod.ts";
import { guests } from "../../../guests/mod.ts";
import { assertCode } from "../../support/codes.ts";
import { bare, CELLS, runUntil, startLong } from "../../support/machine.ts";
import { needs } from "../../support/needs.ts";

const hlt = 0xf4;
/** At 0x1000: hlt; jmp to it. At 0x1003 a handler: mov byte [0x2000], 1; iretq. */
const idleAndHandler = [hlt, 0xeb, 0xfd, 0xc6, 0x04, 0x25, 0, 0x20, 0, 0, 1, 0x48, 0xcf];
const HANDLER = 0x1003;

Deno.test(needs("an NMI runs the guest's handler, with interrupts disabled", "USER_NMI"), () => {
  using machine = startLong(idleAndHandler, { idt: { handlers: { [NMI_VECTOR]: HANDLER } } });
  const { vcpu, memory } = machine;
  runUntil(vcpu, "hlt");
  vcpu.nmi();
  assertEquals(memory.readU8(CELLS), 0);
  runUntil(vcpu, "hlt");
  assertEquals(memory.readU8(CELLS), 1);
  assertEquals(vcpu.getVcpuEvents().nmi.masked, 0, "its IRET unmasks the next one");
});

Deno.test(
  needs("a masked NMI waits until the mask is taken away", "USER_NMI", "VCPU_EVENTS"),
  () => {
    using machine = startLong(idleAndHandler, { idt: { handlers: { [NMI_VECTOR]: HANDLER } } });
    const { vcpu, memory } = machine;
    vcpu.setVcpuEvents({ nmi: { masked: 1 } });
    vcpu.nmi();
    runUntil(vcpu, "hlt");
    assertEquals(memory.readU8(CELLS), 0);
    const events = vcpu.getVcpuEvents();
    assertEquals([events.nmi.masked, events.nmi.pending], [1, 1]);
    events.nmi.masked = 0;
    vcpu.setVcpuEvents(events);
    runUntil(vcpu, "hlt");
    assertEquals(memory.readU8(CELLS), 1);
  },
);

Deno.test("without an irqchip the host interrupts the guest, vector by vector", () => {
  using machine = bare(2 << 20);
  const { vcpu, memory } = machine;
  longMode(vcpu, memory, { code: guests.interrupt });
  runUntil(vcpu, "hlt");
  for (let count = 1; count <= 3; count++) {
    assertEquals([vcpu.ifFlag, vcpu.readyForInterruptInjection], [true, true]);
    vcpu.interrupt(0x30);
    assertEquals(vcpu.getVcpuEvents().interrupt.nr, 0x30);
    const exit = runUntil(vcpu, "io");
    assertEquals([exit.port, exit.value], [0xf4, count]);
    runUntil(vcpu, "hlt");
  }
  assertEquals(memory.readU32(CELLS), 3);
});

Deno.test("the interrupt window opens when the guest enables interrupts, and not before", () => {
  using machine = startLong([
    ...[0xe6, 0x80], // out 0x80, al
    0xfb, // sti
    ...[0xeb, 0xfe], // jmp $
    hlt, // 0x1005: the handler
  ], { idt: { handlers: { 0x30: 0x1005 } } });
  const { vcpu } = machine;
  runUntil(vcpu, "io");
  assertEquals([vcpu.ifFlag, vcpu.readyForInterruptInjection], [false, false]);
  vcpu.requestInterruptWindow = true;
  assertEquals(vcpu.requestInterruptWindow, true);
  using _limit = vcpu.interruptAfter(5000);
  runUntil(vcpu, "irqWindowOpen");
  assertEquals([vcpu.ifFlag, vcpu.readyForInterruptInjection], [true, true]);
  vcpu.requestInterruptWindow = false;
  vcpu.interrupt(0x30);
  runUntil(vcpu, "hlt");
  assertEquals([vcpu.getRegs().rip, vcpu.ifFlag], [0x1006n, false]);
});

Deno.test(needs("KVM_INTERRUPT is refused with an in-kernel irqchip", "IRQCHIP"), () => {
  using machine = bare(1 << 20, (vm) => vm.createIrqchip());
  assertCode("ENXIO", () => machine.vcpu.interrupt(0x30));
});

Deno.test("injected exceptions reach the guest's handlers, with the error code of those that have one", () => {
  const cases: [vector: number, given: number | undefined, seen: number | undefined][] = [
    [Vector.UD, undefined, undefined],
    [Vector.GP, undefined, 0],
    [Vector.GP, 0x1234, 0x1234],
    [Vector.DE, undefined, undefined],
    [Vector.SS, 0x10, 0x10],
  ];
  for (const [vector, given, seen] of cases) {
    using machine = bare();
    const { vcpu, memory } = machine;
    const boot = longMode(vcpu, memory, { code: Uint8Array.of(0x90, hlt), idt: true });
    vcpu.injectException(vector, given);
    runUntil(vcpu, "hlt");
    const exception = readException(memory, boot);
    assertEquals([exception?.vector, exception?.errorCode], [vector, seen]);
    assertEquals(exception?.rip, 0x1000n);
  }
});

Deno.test("an injected page fault shows the address that was set in CR2", () => {
  using machine = bare();
  const { vcpu, memory } = machine;
  const boot = longMode(vcpu, memory, { code: Uint8Array.of(hlt), idt: true });
  vcpu.setSregs({ cr2: 0xdead_b000n });
  vcpu.injectException(Vector.PF, 2);
  runUntil(vcpu, "hlt");
  const exception = readException(memory, boot);
  assertEquals([exception?.name, exception?.errorCode, exception?.cr2], ["#PF", 2, 0xdead_b000n]);
});

Deno.test("in real mode an injected exception pushes no error code", () => {
  using machine = bare();
  const { vcpu, memory } = machine;
  realMode(vcpu, memory, { code: Uint8Array.of(hlt, hlt) });
  memory.writeU16(4 * Vector.GP, 0x1001); // the vector's offset; its segment is 0
  const { rsp } = vcpu.getRegs();
  vcpu.injectException(Vector.GP);
  runUntil(vcpu, "hlt");
  // FLAGS, CS and IP, on a stack whose pointer has 16 bits.
  const pushed = BigInt.asUintN(16, rsp - vcpu.getRegs().rsp);
  assertEquals([vcpu.getRegs().rip, pushed], [0x1002n, 6n]);
});

Deno.test("INT3 reaches the guest's handler: by itself, or emulated by the host", () => {
  using machine = bare();
  const { vcpu, memory } = machine;
  const boot = longMode(vcpu, memory, { code: Uint8Array.of(0xcc, hlt), idt: true });
  const exit = vcpu.run();
  if (exit.reason === "internalError") {
    assertEquals(exit.instruction?.[0], 0xcc);
    const { rip } = vcpu.getRegs();
    vcpu.setRegs({ rip: rip + 1n });
    vcpu.injectException(Vector.BP);
    runUntil(vcpu, "hlt");
  } else assertEquals(exit.reason, "hlt");
  const exception = readException(memory, boot);
  assertEquals([exception?.name, exception?.rip], ["#BP", 0x1001n]);
});

Deno.test("vectors and error codes that can't be are refused before the kernel sees them", () => {
  using machine = bare();
  const { vcpu } = machine;
  for (const vector of [2, -1, 32, 0.5, NaN]) {
    assertCode("EINVAL", () => vcpu.injectException(vector), `exception ${vector}`);
  }
  assertCode("EINVAL", () => vcpu.injectException(13, 2 ** 32));
  for (const vector of [-1, 256, 1.5]) assertCode("EINVAL", () => vcpu.interrupt(vector));
  assertCode("EINVAL", () => vcpu.setVcpuEvents({ exception: { injected: 1, nr: 32 } }));
});

Deno.test(needs("events are set in part, and what is not given stays", "VCPU_EVENTS"), () => {
  using machine = bare();
  const { vcpu } = machine;
  vcpu.setVcpuEvents({ nmi: { masked: 1 }, flags: VcpuEventFlag.SHADOW, interrupt: { shadow: 1 } });
  vcpu.setVcpuEvents({ exception: { injected: 1, nr: 6 } });
  const { nmi, exception } = vcpu.getVcpuEvents();
  assertEquals([nmi.masked, exception.injected, exception.nr], [1, 1, 6]);
});

Deno.test(
  needs(
    "an SMI takes the guest to system management mode's entry",
    "X86_SMM",
    "MULTI_ADDRESS_SPACE",
  ),
  () => {
    using kvm = Kvm.open();
    using machine = startLong(idleAndHandler);
    const { vm, vcpu } = machine;
    vcpu.setCpuid(kvm.getSupportedCpuid());
    // SMBASE is 0x30000 after a reset, the entry 0x8000 behind it (SDM volume 3, "SMRAM"). That mode has
    // memory of its own: here what the processor's state goes to, and none for instructions.
    vm.addMemory({ size: 0x1000, guestPhysAddr: 0x3f000, addressSpace: 1 });
    runUntil(vcpu, "hlt");
    assertEquals(vcpu.flags & RunFlag.SMM, 0);
    vcpu.smi();
    assertEquals(vcpu.getVcpuEvents().smi.pending, 1);
    runUntil(vcpu, "internalError");
    const { smi } = vcpu.getVcpuEvents();
    assertEquals([smi.smm, smi.pending, vcpu.flags & RunFlag.SMM], [1, 0, RunFlag.SMM]);
    assertEquals([vcpu.getSregs().cs.base, vcpu.getRegs().rip], [0x30000n, 0x8000n]);
  },
);

Deno.test("an SMI on a host without system management mode is an error that says so", () => {
  using machine = bare();
  if (hasSmm()) return machine.vcpu.smi();
  const error = assertCode("ENOTTY", () => machine.vcpu.smi());
  assert(error.hint?.includes("X86_SMM"));
});

function hasSmm(): boolean {
  return !needs("", "X86_SMM").ignore;
}

Deno.test(needs("a machine check runs the guest's handler, which reads the bank", "MCE"), () => {
  using kvm = Kvm.open();
  using machine = startLong([
    hlt,
    ...[0xb9, 0x01, 0x04, 0x00, 0x00], // 0x1001: mov ecx, MC0_STATUS
    ...[0x0f, 0x32], // rdmsr
    ...[0x89, 0x04, 0x25, 0x00, 0x20, 0x00, 0x00], // mov [0x2000], eax
    ...[0x89, 0x14, 0x25, 0x04, 0x20, 0x00, 0x00], // mov [0x2004], edx
    hlt,
  ], { idt: { handlers: { [Vector.MC]: 0x1001 } } });
  const { vcpu, memory } = machine;
  const supported = kvm.getMceCapSupported();
  const MCG_CTL_P = 1n << 8n;
  assert((supported & MCG_CTL_P) !== 0n);
  vcpu.setupMce(10n | MCG_CTL_P);
  vcpu.setSregs({ cr4: vcpu.getSregs().cr4 | CR4.MCE });
  // Valid, uncorrected, enabled, with an address; a memory controller's read error.
  const status = 1n << 63n | 1n << 61n | 1n << 60n | 1n << 58n | 0x9fn;
  vcpu.setMce({ bank: 0, status, addr: 0x1234_5000n, mcgStatus: 5n });
  runUntil(vcpu, "hlt");
  assertEquals(memory.readU64(CELLS), status);
  assertEquals([vcpu.getMsr(0x402), vcpu.getMsr(0x17a)], [0x1234_5000n, 5n]);
});

Deno.test(needs("machine-check banks that there are not are refused", "MCE"), () => {
  using machine = bare();
  const { vcpu } = machine;
  for (const mcgCap of [0n, 33n, -1n, 2n ** 64n, 5 as unknown as bigint]) {
    assertCode("EINVAL", () => vcpu.setupMce(mcgCap), String(mcgCap));
  }
  vcpu.setupMce(2n);
  assertCode("EINVAL", () => vcpu.setMce({ bank: 2, status: 1n << 63n }), "bank 2 of 2");
  assertCode("EINVAL", () => vcpu.setMce({ bank: 0, status: 0n }), "not valid");
});

/** A loop at level 3 that takes about a tenth of a second, and longer on slow hosts. */
const longLoop = [0xb9, 0x00, 0xa3, 0xe1, 0x11, 0xff, 0xc9, 0x75, 0xfc, hlt];

Deno.test("a signal that the mask blocks does not end the run; without the mask it does", () => {
  const all = Array.from({ length: 64 }, (_, index) => index + 1);
  for (const blocked of [true, false]) {
    using machine = startLong(longLoop, { cpl: 3 });
    const { vcpu } = machine;
    vcpu.setSignalMask(all);
    if (!blocked) vcpu.setSignalMask();
    using _limit = vcpu.interruptAfter(5);
    assertEquals(vcpu.run().reason, blocked ? "hlt" : "intr");
  }
});

Deno.test("a mask that blocks nothing lets a time limit end the run", () => {
  using machine = startLong(longLoop, { cpl: 3 });
  const { vcpu } = machine;
  vcpu.setSignalMask([]);
  using _limit = vcpu.interruptAfter(5);
  assertEquals(vcpu.run().reason, "intr");
});

Deno.test("signals have numbers from 1 to 64", () => {
  using machine = bare();
  for (const signal of [0, 65, 1.5, -1]) {
    assertCode("EINVAL", () => machine.vcpu.setSignalMask([signal]));
  }
});

Deno.test("a closed vCPU takes no events", () => {
  using machine = bare();
  const { vcpu } = machine;
  vcpu.close();
  for (const call of [() => vcpu.nmi(), () => vcpu.interrupt(1), () => vcpu.injectException(6)]) {
    assertCode("EBADF", call);
  }
  for (const read of [() => vcpu.ifFlag, () => vcpu.cr8, () => vcpu.flags, () => vcpu.apicBase]) {
    assertCode("EBADF", read);
  }
});
