/**
 * The guest that reports its interrupts, `guests.interruptLines`.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { guests } from "../../../guests/mod.ts";
import { encodeRedirection, type IoExit, type Vcpu, type Vm } from "../../../src/kvm/mod.ts";
import { Irqchip } from "../../../ffi/uapi/mod.ts";
import { type Machine, startLong } from "../../support/machine.ts";

const REPORT = 0xf4;
const WAITS = 0xf5;
/** Milliseconds. */
const LIMIT = 20_000;

/** The guest, about to wait for its first interrupt. */
export function startLines(setup?: (vm: Vm) => void): Machine {
  const machine = startLong(guests.interruptLines, {}, (vm) => {
    vm.createIrqchip();
    setup?.(vm);
  });
  waits(machine.vcpu);
  return machine;
}

/** Runs the guest until it takes an interrupt; its vector. */
export function vectorOf(vcpu: Vcpu): number {
  for (;;) {
    const { port, value } = nextIo(vcpu);
    if (port === REPORT) return value;
  }
}

/** Runs the guest to the end of its interrupt, and until it is about to wait for the next. */
export function waits(vcpu: Vcpu): void {
  const { port, value } = nextIo(vcpu);
  assertEquals(port, WAITS, `The guest took vector ${value}`);
}

/** The vectors of the interrupts that come, one or several. */
export function take(vcpu: Vcpu, count = 1): number[] {
  const vectors = Array.from({ length: count }, () => vectorOf(vcpu));
  waits(vcpu);
  return vectors;
}

/** Sets an entry of the I/O APIC's redirection table. */
export function redirect(vm: Vm, pin: number, fields: Parameters<typeof encodeRedirection>[0]) {
  const state = vm.getIrqchip(Irqchip.IOAPIC);
  state.chip.ioapic.redirtbl[pin] = encodeRedirection(fields);
  vm.setIrqchip(state);
}

function nextIo(vcpu: Vcpu): IoExit {
  using _limit = vcpu.interruptAfter(LIMIT);
  const exit = vcpu.run();
  if (exit.reason === "io") return exit;
  throw new Error(`A report expected, not ${Deno.inspect(exit)}`);
}
