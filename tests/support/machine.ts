/**
 * A VM with one vCPU, ready to run.
 *
 * @module
 */

import {
  longMode,
  type LongModeOptions,
  realMode,
  type RealModeOptions,
} from "../../src/boot/mod.ts";
import { type Cpuid, type Exit, Kvm, type Vcpu, type Vm } from "../../src/kvm/mod.ts";
import type { MemorySlot } from "../../src/memory/mod.ts";

/** A VM with its memory and a vCPU; disposed of together. */
export interface Machine extends Disposable {
  /** The VM. */
  readonly vm: Vm;
  /** Memory from address 0. */
  readonly memory: MemorySlot;
  /** vCPU 0. */
  readonly vcpu: Vcpu;
}

/** Where the guests and the snippets of the tests leave their results. */
export const CELLS = 0x2000;

/** A VM with a vCPU that nothing has been set up on. */
export function bare(size = 1 << 20, setup?: (vm: Vm) => void): Machine {
  using kvm = Kvm.open();
  const vm = kvm.createVm();
  try {
    setup?.(vm);
    const memory = vm.addMemory({ size });
    const vcpu = vm.createVcpu(0);
    return { vm, memory, vcpu, [Symbol.dispose]: () => vm.close() };
  } catch (error) {
    vm.close();
    throw error;
  }
}

/** Code that begins in 16-bit real mode at 0x1000. */
export function startReal(
  code: ArrayLike<number>,
  registers?: RealModeOptions["registers"],
  setup?: (vm: Vm) => void,
): Machine {
  const machine = bare(1 << 20, setup);
  realMode(machine.vcpu, machine.memory, { code: Uint8Array.from(code), registers });
  return machine;
}

/** What {@linkcode startLong} starts. */
export interface StartLongOptions extends Omit<LongModeOptions, "code"> {
  /** Bytes of memory from address 0; 2 MiB by default. */
  readonly size?: number;
}

/** Code that begins in 64-bit long mode at 0x1000. */
export function startLong(
  code: ArrayLike<number>,
  options: StartLongOptions = {},
  setup?: (vm: Vm) => void,
): Machine {
  const { size = 2 << 20, ...rest } = options;
  const machine = bare(size, setup);
  longMode(machine.vcpu, machine.memory, { ...rest, code: Uint8Array.from(code) });
  return machine;
}

/** The exit of the next run, which must be of this kind. */
export function runUntil<R extends Exit["reason"]>(
  vcpu: Vcpu,
  reason: R,
): Extract<Exit, { reason: R }> {
  const exit = vcpu.run();
  if (exit.reason !== reason) throw new Error(`${reason} expected, not ${Deno.inspect(exit)}`);
  return exit as Extract<Exit, { reason: R }>;
}

/** The CPUID leaves that the host supports: without any, a vCPU has 36 bits of addresses. */
export function supportedCpuid(): Cpuid {
  using kvm = Kvm.open();
  return kvm.getSupportedCpuid();
}

/**
 * Bits of a guest-physical address that every KVM with these leaves takes: where the processor's own
 * nested paging translates it, there are no more of them than it has.
 */
export function physAddrBits(): number {
  const { eax } = supportedCpuid().find(0x8000_0008) ?? { eax: 36 };
  // AMD's manual (volume 3, E.4.7) has a narrower width for guests beside the processor's own.
  return (eax >> 16 & 0xff) || (eax & 0xff);
}

/** An address far above 4 GiB, with as much room above it. */
export function farAddress(): number {
  return 2 ** Math.min(40, physAddrBits() - 1);
}
