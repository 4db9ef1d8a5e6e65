import { assert, assertEquals } from "@std/assert";
import { LapicRegisters, LVT, MSR } from "../../../src/arch/x86/mod.ts";
import { Kvm, type Vcpu, type Vm } from "../../../src/kvm/mod.ts";
import { assertCode } from "../../support/codes.ts";
import { bare, type Machine, runUntil, startLong } from "../../support/machine.ts";
import { needs } from "../../support/needs.ts";

const END_PORT = 0xf4;
const TPR = 0xfee0_0080n;
const INITIAL = 0xfee0_0380n;

function start(code: number[], registers = {}): Machine {
  return startLong(code, { registers }, (vm: Vm) => vm.createIrqchip());
}

function registersOf(vcpu: Vcpu): LapicRegisters {
  return new LapicRegisters(vcpu.getLapic());
}

Deno.test(
  needs("what is set in an APIC is what a guest reads, and the other way round", "IRQCHIP"),
  () => {
    using machine = start([
      ...[0x8b, 0x03], // mov eax, [rbx]
      ...[0x89, 0x04, 0x25, 0x00, 0x30, 0x00, 0x00], // mov [0x3000], eax
      ...[0xc7, 0x03, 0x30, 0x00, 0x00, 0x00], // mov dword [rbx], 0x30
      ...[0xe6, END_PORT], // out 0xf4, al
    ], { rbx: TPR });
    const { vcpu, memory } = machine;
    const lapic = vcpu.getLapic();
    const registers = new LapicRegisters(lapic);
    registers.write("tpr", 0x20);
    vcpu.setLapic(lapic);
    runUntil(vcpu, "io");
    assertEquals(memory.readU32(0x3000), 0x20);
    vcpu.getLapic(lapic);
    assertEquals([registers.read("tpr"), registers.read("ppr")], [0x30, 0x30]);
    assertEquals(vcpu.getSregs().cr8, 3n);
  },
);

Deno.test(needs("the timer that a guest starts is seen to run", "IRQCHIP"), () => {
  using machine = start([
    ...[0xc7, 0x03, 0xff, 0xff, 0xff, 0x7f], // mov dword [rbx], 0x7fffffff
    ...[0xe6, END_PORT], // out 0xf4, al
    ...[0xe6, END_PORT], // out 0xf4, al
  ], { rbx: INITIAL });
  const { vcpu } = machine;
  const lapic = vcpu.getLapic();
  const registers = new LapicRegisters(lapic);
  registers.write("svr", 0x1ff);
  registers.write("lvtTimer", LVT.MASKED | 0x40);
  registers.write("timerDivide", 0xb);
  vcpu.setLapic(lapic);
  runUntil(vcpu, "io");
  const first = registersOf(vcpu);
  assertEquals(first.read("timerInitial"), 0x7fff_ffff);
  assertEquals(first.read("lvtTimer"), LVT.MASKED | 0x40);
  assert(first.read("timerCurrent") > 0 && first.read("timerCurrent") < 0x7fff_ffff);
  runUntil(vcpu, "io");
  assert(registersOf(vcpu).read("timerCurrent") < first.read("timerCurrent"));
});

Deno.test(needs("a vector requested in the state is delivered to the guest", "IRQCHIP"), () => {
  using machine = startLong(
    [
      0xfb, // sti
      ...[0xeb, 0xfe], // jmp $
      ...[0xe6, END_PORT], // out 0xf4, al: the handler, at 0x1003
    ],
    { idt: { handlers: { 0x51: 0x1003 } } },
    (vm) => vm.createIrqchip(),
  );
  const { vcpu } = machine;
  const lapic = vcpu.getLapic();
  const registers = new LapicRegisters(lapic);
  registers.write("svr", 0x1ff);
  lapic.regs[0x200 + 16 * 2 + 2] = 1 << 1; // IRR: vector 2 * 32 + 17
  assertEquals(registers.vectors("irr"), [0x51]);
  vcpu.setLapic(lapic);
  using _limit = vcpu.interruptAfter(20_000);
  runUntil(vcpu, "io");
  assertEquals(registersOf(vcpu).vectors("irr"), []);
});

Deno.test(
  needs("the id of an x2APIC is in bits 24 to 31 until 32-bit ids are enabled", "IRQCHIP"),
  () => {
    using machine = bare(1 << 20, (vm) => vm.createIrqchip());
    using vcpu = machine.vm.createVcpu(3);
    assertEquals(registersOf(vcpu).read("id"), 3 << 24);
    using kvm = Kvm.open();
    vcpu.setCpuid(kvm.getSupportedCpuid());
    vcpu.setMsr(MSR.APIC_BASE, vcpu.getMsr(MSR.APIC_BASE) | 0xc00n);
    assertEquals(registersOf(vcpu).read("id"), 3 << 24);
  },
);

Deno.test("a vCPU without an in-kernel APIC says so", () => {
  using machine = bare();
  const error = assertCode("EINVAL", () => machine.vcpu.getLapic());
  assert(error.hint?.includes("no in-kernel APIC"));
});
