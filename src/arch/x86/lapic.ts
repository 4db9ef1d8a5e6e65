/**
 * The registers of a local APIC by name (SDM volume 3, "The Local APIC Block Diagram", "Local APIC
 * Register Address Map").
 *
 * @module
 */

import {
  checkInstance,
  checkInteger,
  checkObject,
  Errno,
  isName,
  KvmError,
  show,
  U32_MAX,
} from "../../../ffi/mod.ts";

/**
 * Offsets of the registers in the APIC's page. An MSR of the x2APIC is `MSR.X2APIC_FIRST` and the
 * offset divided by 16.
 */
export const LAPIC = {
  /** The APIC's id: in bits 24 to 31, see {@linkcode LapicRegisters}. */
  id: 0x20,
  /** Version, and the number of the last LVT entry in bits 16 to 23. */
  version: 0x30,
  /** Task priority: interrupts of its class and below wait. */
  tpr: 0x80,
  /** Arbitration priority. */
  apr: 0x90,
  /** Processor priority: the higher of task priority and of what is in service. */
  ppr: 0xa0,
  /** End of interrupt; write only. */
  eoi: 0xb0,
  /** Remote read. */
  rrd: 0xc0,
  /** Logical destination. */
  ldr: 0xd0,
  /** Destination format: flat or cluster. */
  dfr: 0xe0,
  /** Spurious-interrupt vector, and the APIC's software enable ({@linkcode SVR_ENABLE}). */
  svr: 0xf0,
  /** Vectors in service: the first of eight registers. */
  isr: 0x100,
  /** Vectors that are level-triggered: the first of eight. */
  tmr: 0x180,
  /** Vectors requested: the first of eight. */
  irr: 0x200,
  /** Error status. */
  esr: 0x280,
  /** Corrected machine checks. */
  lvtCmci: 0x2f0,
  /** Interrupt command, low half: vector, delivery mode, trigger, shorthand. */
  icrLow: 0x300,
  /** Interrupt command, high half: the destination. */
  icrHigh: 0x310,
  /** The timer's entry of the local vector table. */
  lvtTimer: 0x320,
  /** The thermal sensor's. */
  lvtThermal: 0x330,
  /** The performance counters'. */
  lvtPmc: 0x340,
  /** Pin LINT0's. */
  lvtLint0: 0x350,
  /** Pin LINT1's. */
  lvtLint1: 0x360,
  /** The APIC's own errors'. */
  lvtError: 0x370,
  /** What the timer counts down from. */
  timerInitial: 0x380,
  /** Where the timer is. */
  timerCurrent: 0x390,
  /** The timer's divisor, encoded. */
  timerDivide: 0x3e0,
} as const;

/** A register's name. */
export type LapicRegister = keyof typeof LAPIC;

/** A bank of 256 bits, one per vector. */
export type LapicBank = "isr" | "tmr" | "irr";

/** Bits of an entry of the local vector table (SDM volume 3, "Local Vector Table"). */
export const LVT = {
  /** The vector. */
  VECTOR: 0xff,
  /** Delivery mode: 0 fixed, 2 SMI, 4 NMI, 5 INIT, 7 ExtINT. */
  DELIVERY_MODE: 7 << 8,
  /** The interrupt waits to be taken. */
  DELIVERY_STATUS: 1 << 12,
  /** It is off. */
  MASKED: 1 << 16,
  /** Timer: it starts anew each time. */
  PERIODIC: 1 << 17,
  /** Timer: it goes off when the TSC reaches `MSR.TSC_DEADLINE`. */
  TSC_DEADLINE: 1 << 18,
} as const;

/** The bit of `svr` that lets the APIC work at all. */
export const SVR_ENABLE = 0x100;

/** As far as the registers of an APIC's page go: `struct kvm_lapic_state`. */
const BYTES = 0x400;

/** Registers are 32 bits wide and 16 bytes apart. */
const STRIDE = 16;
const S32_MIN = -(2 ** 31);
const BANK_REGISTERS = 8;
const BANKS: Readonly<Record<LapicBank, number>> = {
  isr: LAPIC.isr,
  tmr: LAPIC.tmr,
  irr: LAPIC.irr,
};

/**
 * Reads and writes the registers of `vcpu.getLapic()` by name, in place.
 *
 * In x2APIC mode the id is all 32 bits of its register once `Cap.X2APIC_API` was enabled with 32-bit
 * ids; until then KVM shows its low 8 bits where the xAPIC has them, in bits 24 to 31 (api.rst 4.57).
 *
 * @example
 * ```ts
 * import { Kvm, LapicRegisters } from "@deno-kvm/kvm";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * vm.createIrqchip();
 * using vcpu = vm.createVcpu(0);
 * const lapic = vcpu.getLapic();
 * const registers = new LapicRegisters(lapic);
 * registers.write("tpr", 0x20);
 * vcpu.setLapic(lapic);
 * console.log(registers.vectors("irr")); // []
 * ```
 */
export class LapicRegisters {
  readonly #view: DataView<ArrayBuffer>;

  /**
   * For `struct kvm_lapic_state`, or any copy of an APIC's page.
   *
   * @throws {KvmError} EINVAL for what has no registers, or fewer bytes.
   */
  constructor(state: { readonly regs: Uint8Array<ArrayBuffer> }) {
    checkObject("read an APIC's registers", "What has them", state);
    const { regs } = state;
    checkInstance("read an APIC's registers", "regs", regs, Uint8Array);
    checkInteger("read an APIC's registers", "Their bytes", regs.length, BYTES, Infinity);
    this.#view = new DataView(regs.buffer, regs.byteOffset, regs.byteLength);
  }

  /**
   * A register; of a bank, its first 32 vectors.
   *
   * @throws {KvmError} EINVAL for a name that is no register's.
   */
  read(register: LapicRegister): number {
    const offset = offsetOf(`read the APIC's ${show(register)}`, LAPIC, register);
    return this.#view.getUint32(offset, true);
  }

  /**
   * Sets a register. KVM_SET_LAPIC takes over what the kernel's APIC has.
   *
   * @param value 32 bits, as an unsigned number or as the signed one that `0xff << 24` is.
   * @throws {KvmError} EINVAL for a name that is no register's, or another value.
   */
  write(register: LapicRegister, value: number): void {
    const operation = `write the APIC's ${show(register)}`;
    const offset = offsetOf(operation, LAPIC, register);
    checkInteger(operation, "The value", value, S32_MIN, U32_MAX);
    this.#view.setUint32(offset, value, true);
  }

  /**
   * The vectors whose bit is set in a bank, ascending.
   *
   * @throws {KvmError} EINVAL for a name that is no bank's.
   */
  vectors(bank: LapicBank): number[] {
    const first = offsetOf(`read the vectors of the APIC's ${show(bank)}`, BANKS, bank);
    const vectors: number[] = [];
    for (let vector = 0; vector < BANK_REGISTERS * 32; vector++) {
      const bits = this.#view.getUint32(first + STRIDE * (vector >> 5), true);
      if ((bits >>> (vector & 31) & 1) === 1) vectors.push(vector);
    }
    return vectors;
  }
}

function offsetOf<N extends string>(
  operation: string,
  offsets: Readonly<Record<N, number>>,
  name: N,
): number {
  if (isName(offsets, name)) return offsets[name];
  const hint = `It is one of ${Object.keys(offsets).join(", ")}`;
  throw new KvmError({ operation, errno: Errno.EINVAL, hint });
}
