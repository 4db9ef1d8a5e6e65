/**
 * The kernel's part of a machine at power-on, and how it gets back there.
 *
 * @module
 */

import { KvmError } from "../../ffi/mod.ts";
import { Irqchip, MpState } from "../../ffi/uapi/mod.ts";
import { LapicRegisters, LVT, MSR } from "../arch/x86/mod.ts";
import type {
  Debugregs,
  IrqchipState,
  Kvm,
  LapicState,
  PitState2,
  Sregs,
  Vcpu,
  VcpuEventState,
  Vm,
  Xcrs,
  Xsave,
} from "../kvm/mod.ts";

/** What a processor has when it comes out of reset. */
interface VcpuPowerOn {
  readonly sregs: Sregs;
  readonly msrs: readonly (readonly [index: number, value: bigint])[];
  readonly xsave: Xsave;
  readonly xcrs: Xcrs;
  readonly debugregs: Debugregs;
  readonly events: VcpuEventState;
  readonly lapic: LapicState;
}

/** Delivery modes of a local APIC's pins (SDM volume 3, "Local Vector Table"). */
const NMI = 4 << 8;
const EXTINT = 7 << 8;

/** MTRRs on, memory write-back unless they say otherwise (SDM volume 3, "IA32_MTRR_DEF_TYPE MSR"). */
const MTRR_ON_WRITE_BACK = 0x806n;

/** MSRs that count on over a reset, and would no more be in step if each vCPU's were written. */
const CLOCKS: ReadonlySet<number> = new Set([MSR.TSC, MSR.TSC_ADJUST]);

/** Remembers what KVM gave to a VM and its vCPUs, before the first run. */
export class PowerOnState {
  readonly #vm: Vm;
  readonly #chips: readonly IrqchipState[];
  readonly #pit: PitState2;
  readonly #vcpus = new Map<Vcpu, VcpuPowerOn>();

  /** Makes the vCPUs as a firmware leaves them, and remembers that. */
  constructor(kvm: Kvm, vm: Vm, vcpus: readonly Vcpu[]) {
    this.#vm = vm;
    this.#chips = Object.values(Irqchip).map((chipId) => vm.getIrqchip(chipId));
    this.#pit = vm.getPit2();
    let indices = [...kvm.getMsrIndexList()].filter((index) => !CLOCKS.has(index));
    for (const [at, vcpu] of vcpus.entries()) {
      initialize(vcpu, at === 0);
      const state = remember(vcpu, indices);
      this.#vcpus.set(vcpu, state);
      // All are of one model: what the first one lacks is refused no more.
      indices = state.msrs.map(([index]) => index);
    }
  }

  /** Back to the beginning. The vCPUs must not be running. */
  restore(): void {
    for (const chip of this.#chips) this.#vm.setIrqchip(chip);
    this.#vm.setPit2(this.#pit);
    for (const [vcpu, state] of this.#vcpus) {
      // A vCPU that waits for INIT takes none of what follows.
      vcpu.setMpState(MpState.RUNNABLE);
      vcpu.setSregs(state.sregs);
      vcpu.setLapic(state.lapic);
      writeMsrs(vcpu, state.msrs);
      vcpu.setXcrs(state.xcrs);
      vcpu.setXsave(state.xsave);
      vcpu.setDebugregs(state.debugregs);
      vcpu.setVcpuEvents(state.events);
    }
    for (const [at, vcpu] of [...this.#vcpus.keys()].entries()) {
      vcpu.setMpState(at === 0 ? MpState.RUNNABLE : MpState.UNINITIALIZED);
    }
  }
}

/** What a PC's firmware has done on each processor before it starts a kernel. */
function initialize(vcpu: Vcpu, isFirst: boolean): void {
  const lapic = vcpu.getLapic();
  const registers = new LapicRegisters(lapic);
  // MultiProcessor Specification 3.6.1, virtual wire mode: the PIC interrupts the first one.
  registers.write("lvtLint0", isFirst ? EXTINT : LVT.MASKED);
  registers.write("lvtLint1", NMI);
  vcpu.setLapic(lapic);
  writeMsrs(vcpu, [[MSR.MTRR_DEF_TYPE, MTRR_ON_WRITE_BACK]]);
}

function remember(vcpu: Vcpu, indices: readonly number[]): VcpuPowerOn {
  return {
    sregs: vcpu.getSregs(),
    msrs: readMsrs(vcpu, indices),
    xsave: vcpu.getXsave(),
    xcrs: vcpu.getXcrs(),
    debugregs: vcpu.getDebugregs(),
    events: vcpu.getVcpuEvents(),
    lapic: vcpu.getLapic(),
  };
}

/** The list has what some vCPU may have: what this one lacks is left out. */
function readMsrs(vcpu: Vcpu, indices: readonly number[]): VcpuPowerOn["msrs"] {
  return inBatches(indices, (part) => {
    const values = vcpu.getMsrs(part);
    return part.map((index, at) => [index, values[at]!] as const);
  });
}

/** Some can be read and not be written: they have not changed, either. */
function writeMsrs(vcpu: Vcpu, values: VcpuPowerOn["msrs"]): void {
  inBatches(values, (part) => {
    vcpu.setMsrs(part);
    return [];
  });
}

/** A call takes many MSRs, and ends at the first one that is refused: then each half is tried. */
function inBatches<T, R>(items: readonly T[], action: (part: readonly T[]) => R[]): R[] {
  try {
    return action(items);
  } catch (error) {
    if (!(error instanceof KvmError)) throw error;
    if (items.length <= 1) return [];
    const middle = items.length >> 1;
    const halves = [items.slice(0, middle), items.slice(middle)];
    return halves.flatMap((half) => inBatches(half, action));
  }
}
