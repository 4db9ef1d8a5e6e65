import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertLess,
  assertStringIncludes,
} from "@std/assert";
import { Irqchip } from "../../ffi/uapi/mod.ts";
import { bytesOf, KvmError } from "../../ffi/mod.ts";
import { guests } from "../../guests/mod.ts";
import { type Exit, Kvm, type Vcpu, type Vm } from "../../src/kvm/mod.ts";
import type { MemorySlot } from "../../src/memory/mod.ts";
import { assertCode } from "../support/codes.ts";
import { bare, CELLS, startLong, startReal, supportedCpuid } from "../support/machine.ts";
import { emptyVm } from "../support/memory.ts";
import { needs } from "../support/needs.ts";

const IF = 0x200n;

function withIrqchip(vm: Vm): void {
  vm.createIrqchip();
}

/** The guests of both timers wait for five interrupts; one that was held up finds more waiting. */
function assertTicked(exit: Exit, memory: MemorySlot): void {
  assert(exit.reason === "io", Deno.inspect(exit));
  assertEquals([exit.port, exit.value], [0xf4, memory.readU32(CELLS)]);
  assertGreaterOrEqual(exit.value, 5);
}

function withTimer(vm: Vm): void {
  vm.createIrqchip();
  vm.createPit2();
}

Deno.test(
  needs("the timer's interrupts reach the guest through the irqchip", "IRQCHIP", "PIT2"),
  () => {
    using machine = startLong(guests.timer, {}, withTimer);
    const { vcpu, memory } = machine;
    using _limit = vcpu.interruptAfter(5000);
    assertTicked(vcpu.run(), memory);
  },
);

Deno.test(needs("the local APIC's timer interrupts the guest", "IRQCHIP"), () => {
  using machine = startLong(guests.apicTimer, {}, withIrqchip);
  const { vcpu, memory } = machine;
  vcpu.setCpuid(supportedCpuid());
  using _limit = vcpu.interruptAfter(5000);
  assertTicked(vcpu.run(), memory);
});

// Real mode: ICW1-4 with vectors from 8, all but IRQ 5 masked, then wait for it; its handler, vector
// 13, reports port 0xf4 with the ISR bit.
const waitForIrq5 = [
  0xb0,
  0x11,
  0xe6,
  0x20, // out 0x20, 0x11
  0xb0,
  0x08,
  0xe6,
  0x21, // out 0x21, 8
  0xb0,
  0x04,
  0xe6,
  0x21, // out 0x21, 4
  0xb0,
  0x01,
  0xe6,
  0x21, // out 0x21, 1
  0xb0,
  0xdf,
  0xe6,
  0x21, // out 0x21, ~(1 << 5)
  0xc7,
  0x06,
  0x34,
  0x00,
  0x24,
  0x10, // mov word [13 * 4], handler
  0xc7,
  0x06,
  0x36,
  0x00,
  0x00,
  0x00, // mov word [13 * 4 + 2], 0
  0xfb, // sti
  0xf4, // hlt
  0xeb,
  0xfd, // jmp to hlt
  // handler:
  0xb0,
  0x05, // mov al, 5
  0xe6,
  0xf4, // out 0xf4, al
  0xcf, // iret
];

/** Runs a guest that never exits, by turns, until something is so. */
function runUntilSo(vcpu: Vcpu, isSo: () => boolean): void {
  for (let limit = 20; !isSo(); limit *= 2) {
    assertLess(limit, 10_000);
    using _limit = vcpu.interruptAfter(limit);
    assertEquals(vcpu.run().reason, "intr");
  }
}

/** Whether a guest has told the PIC that line 5 is all that it waits for. */
function hasSetPic(vm: Vm): boolean {
  const { pic } = vm.getIrqchip(Irqchip.PIC_MASTER).chip;
  return pic.irqBase === 8 && pic.imr === 0xdf;
}

Deno.test(needs("a line that the host raises is an interrupt in the guest", "IRQCHIP"), () => {
  using machine = startReal(waitForIrq5, undefined, withIrqchip);
  const { vm, vcpu } = machine;
  runUntilSo(vcpu, () => hasSetPic(vm));
  vm.setIrqLine(5, true);
  using _limit = vcpu.interruptAfter(20_000);
  const exit = vcpu.run();
  assert(exit.reason === "io", Deno.inspect(exit));
  assertEquals([exit.port, exit.value], [0xf4, 5]);
  vm.setIrqLine(5, false);
});

Deno.test(needs("with an irqchip HLT is no exit, and an interrupt ends it", "IRQCHIP"), () => {
  using machine = startLong(guests.halt, {}, withIrqchip);
  const { vcpu, memory } = machine;
  runUntilSo(vcpu, () => memory.readU32(CELLS) === 42);
  assertEquals(vcpu.run({ timeout: 20 }).reason, "intr");
});

Deno.test("without an irqchip a guest that waits with interrupts enabled exits with HLT", () => {
  using machine = startLong(guests.interrupt);
  const { vcpu, memory } = machine;
  for (let turn = 0; turn < 3; turn++) assertEquals(vcpu.run().reason, "hlt");
  assertEquals([memory.readU32(CELLS), vcpu.getRegs().rflags & IF], [0, IF]);
});

Deno.test("every use of interrupt controllers that are not there is an error that says so", () => {
  using vm = emptyVm();
  assertStringIncludes(assertCode("ENXIO", () => vm.setIrqLine(1, true)).hint!, "create");
  assertCode("ENXIO", () => vm.getIrqchip(Irqchip.IOAPIC));
  assertCode("ENXIO", () => vm.getPit2());
});

Deno.test("a timer without interrupt controllers is ENOENT; older kernels take it, and keep it", () => {
  using vm = emptyVm();
  try {
    vm.createPit2();
    assertEquals(vm.getPit2().channels.length, 3);
  } catch (error) {
    assert(error instanceof KvmError && error.code === "ENOENT", String(error));
    assertCode("ENXIO", () => vm.getPit2());
  }
});

Deno.test(
  needs("interrupt controllers come once, and before the first vCPU", "IRQCHIP", "PIT2"),
  () => {
    using vm = emptyVm();
    vm.createIrqchip();
    assertStringIncludes(assertCode("EEXIST", () => vm.createIrqchip()).hint!, "already");
    vm.createPit2();
    assertCode("EEXIST", () => vm.createPit2());
    using late = bare();
    const error = assertCode("EINVAL", () => late.vm.createIrqchip());
    assertStringIncludes(error.hint!, "before");
  },
);

Deno.test(
  needs("the controllers' state is read and set again, and holds what the guest did", "IRQCHIP"),
  () => {
    using machine = startReal(waitForIrq5, undefined, withIrqchip);
    const { vm, vcpu } = machine;
    runUntilSo(vcpu, () => hasSetPic(vm));
    const slave = vm.getIrqchip(Irqchip.PIC_SLAVE);
    slave.chip.pic.imr = 0x5a;
    vm.setIrqchip(slave);
    assertEquals(vm.getIrqchip(Irqchip.PIC_SLAVE).chip.pic.imr, 0x5a);
    assertEquals(vm.getIrqchip(Irqchip.PIC_MASTER).chip.pic.imr, 0xdf);
    const ioapic = vm.getIrqchip(Irqchip.IOAPIC);
    assertEquals(ioapic.chip.ioapic.baseAddress, 0xfec0_0000);
    ioapic.chip.ioapic.redirtbl[3] = 0x1_0033n;
    vm.setIrqchip(ioapic);
    assertEquals(vm.getIrqchip(Irqchip.IOAPIC).chip.ioapic.redirtbl[3], 0x1_0033n);
    for (const chip of [0, 1, 2]) assert(Deno.inspect(vm.getIrqchip(chip)).length > 100);
  },
);

Deno.test(needs("the timer's state is read and set again", "IRQCHIP", "PIT2"), () => {
  using machine = bare(1 << 20, withTimer);
  const { vm } = machine;
  const state = vm.getPit2();
  state.channels[2]!.mode = 3;
  state.channels[2]!.count = 1234;
  vm.setPit2(state);
  const { mode, count } = vm.getPit2().channels[2]!;
  assertEquals([mode, count], [3, 1234]);
});

Deno.test(needs("what is no chip, line or state is EINVAL", "IRQCHIP", "PIT2"), () => {
  using machine = bare(1 << 20, withTimer);
  const { vm, vcpu } = machine;
  // deno-lint-ignore no-explicit-any -- what the types forbid
  const numbers: any[] = [-1, 0.5, NaN, 2 ** 32, "1", undefined];
  for (const number of [...numbers, 3, 77]) {
    assertCode("EINVAL", () => vm.getIrqchip(number), `chip ${number}`);
  }
  for (const number of numbers) {
    assertCode("EINVAL", () => vm.setIrqLine(number, true), String(number));
  }
  // deno-lint-ignore no-explicit-any -- what the types forbid
  const structs: any[] = [{}, null, undefined, 5, "text", vcpu.getRegs(), vm.getPit2().channels[0]];
  for (const struct of structs) {
    assertCode("EINVAL", () => vm.setIrqchip(struct), Deno.inspect(struct).slice(0, 30));
    assertCode("EINVAL", () => vm.setPit2(struct), Deno.inspect(struct).slice(0, 30));
  }
});

Deno.test("a vCPU's id is taken once in a VM, and stays so after close", () => {
  using machine = bare();
  const { vm, vcpu } = machine;
  assertCode("EEXIST", () => vm.createVcpu(0));
  vcpu.close();
  assertCode("EEXIST", () => vm.createVcpu(0));
  using other = vm.createVcpu(1);
  assertEquals([other.id, vm.vcpus.length], [1, 1]);
});

Deno.test("a vCPU's id that can't be is EINVAL, and the largest one can", () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  // deno-lint-ignore no-explicit-any -- what the types forbid
  const wrong: any[] = [-1, 1.5, NaN, Infinity, 2 ** 32, "0", null, undefined, 0n, {}];
  for (const id of wrong) assertCode("EINVAL", () => vm.createVcpu(id), String(id));
  assertCode("EINVAL", () => vm.createVcpu(kvm.maxVcpuId));
  assertCode("EINVAL", () => vm.createVcpu(0xffff_ffff));
  assertEquals(vm.vcpus, []);
  using last = vm.createVcpu(kvm.maxVcpuId - 1);
  assertEquals(bytesOf(last.getRegs()).length, 144);
});
