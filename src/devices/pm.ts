/**
 * ACPI's fixed hardware: event and control registers, and the timer (ACPI specification, 4.8 "ACPI
 * hardware features").
 *
 * ```
 * PmControl   0  PM1a status   16 bits, a 1 clears      PmTimer   0  counter, 32 bits
 *             2  PM1a enable   16 bits
 *             4  PM1a control  16 bits
 * ```
 *
 * The hardware is in ACPI mode from the beginning: SCI_EN reads 1, and there is no SMI_CMD. The timer
 * does not set TMR_STS.
 *
 * A hostile guest can switch its machine off, as it may. Beyond that it has three registers.
 *
 * @module
 */

import { create, type StructOf } from "../../ffi/mod.ts";
import { OPEN_BYTE, readBytewise, writeBytewise } from "./bytewise.ts";
import type { Device, InterruptLine } from "./device.ts";

/** All that a {@linkcode PmControl} remembers. */
export const pmControlState = {
  /** PM1a status. */
  status: "u16",
  /** PM1a enable. */
  enable: "u16",
  /** PM1a control, without SCI_EN, which is always set, and SLP_EN, which is never kept. */
  control: "u16",
  /** The interrupt line's level. */
  interrupt: "u8",
} as const;

/** Bits of PM1a status and of PM1a enable (ACPI specification, 4.8.3.1). */
export const PM1_EVENT = {
  /** The timer's highest bit changed. */
  TMR: 1 << 0,
  /** Status only: a bus master wants the bus. */
  BM_STS: 1 << 4,
  /** The firmware has released the global lock. */
  GBL: 1 << 5,
  /** The power button was pressed. */
  PWRBTN: 1 << 8,
  /** The sleep button was pressed. */
  SLPBTN: 1 << 9,
  /** The clock's alarm came. */
  RTC: 1 << 10,
  /** Status only: the machine woke up. */
  WAK: 1 << 15,
} as const;

/** Bits of PM1a control (ACPI specification, 4.8.3.2). */
export const PM1_CONTROL = {
  /** Events raise the SCI, and not an SMI; always 1. */
  SCI_EN: 1 << 0,
  /** Bus masters wake the processor; kept, and without effect. */
  BM_RLD: 1 << 1,
  /** Write only: the global lock is released. */
  GBL_RLS: 1 << 2,
  /** The type of sleep. */
  SLP_TYP: 7 << 10,
  /** Write only: sleep begins. */
  SLP_EN: 1 << 13,
} as const;

/**
 * The type of sleep that is S5, power off: the first number of the DSDT's \_S5 package. It is QEMU's,
 * which kernels without an AML interpreter count on.
 */
export const SLP_TYP_S5 = 0;

/** What a {@linkcode PmControl} is connected to. */
export interface PmControlWires {
  /** The SCI, IRQ 9: level-triggered. */
  readonly interrupt: InterruptLine;
  /** The guest switches the machine off. */
  powerOff(): void;
  /** The guest wants another type of sleep; without this, it just goes on. */
  sleep?(type: number): void;
}

const EVENTS = PM1_EVENT.TMR | PM1_EVENT.GBL | PM1_EVENT.PWRBTN | PM1_EVENT.SLPBTN | PM1_EVENT.RTC;
const CLEARABLE = EVENTS | PM1_EVENT.BM_STS | PM1_EVENT.WAK;
const CONTROL_KEPT = PM1_CONTROL.BM_RLD | PM1_CONTROL.SLP_TYP;
const SLP_TYP_SHIFT = 10;

/** Offsets of the registers' bytes. */
const STATUS = 0;
const ENABLE = 2;
const CONTROL = 4;
const END = 6;

/**
 * Power button and sleep.
 *
 * @example
 * ```ts
 * import { PM1_CONTROL, PmControl, SLP_TYP_S5, unconnected } from "@deno-kvm/kvm/devices";
 *
 * const pm = new PmControl({ interrupt: unconnected, powerOff: () => console.log("off") });
 * pm.write(4, 2, SLP_TYP_S5 << 10 | PM1_CONTROL.SLP_EN); // off
 * ```
 */
export class PmControl implements Device {
  /** All that it remembers. */
  readonly state: StructOf<typeof pmControlState>;
  readonly #wires: PmControlWires;

  /** With a state it goes on from there; without, from power-on. */
  constructor(wires: PmControlWires, state?: StructOf<typeof pmControlState>) {
    this.#wires = wires;
    this.state = state ?? create(pmControlState);
  }

  /** Back to power-on: nothing enabled, nothing happened. */
  reset(): void {
    const { state } = this;
    state.status = state.enable = state.control = 0;
    this.#update();
  }

  /** Somebody presses the power button: a guest with ACPI takes it as the wish to shut down. */
  pressPowerButton(): void {
    this.state.status |= PM1_EVENT.PWRBTN;
    this.#update();
  }

  /** The guest reads; beyond the registers all ones. */
  read(offset: number, size: number): number {
    if (size !== 1) return readBytewise(this, offset, size);
    if (offset < 0 || offset >= END) return OPEN_BYTE;
    const { state } = this;
    const register = offset < ENABLE
      ? state.status
      : offset < CONTROL
      ? state.enable
      : state.control | PM1_CONTROL.SCI_EN;
    return register >> 8 * (offset & 1) & 0xff;
  }

  /** The guest writes, all of a register or one of its bytes. */
  write(offset: number, size: number, value: number): void {
    if (size !== 1) return writeBytewise(this, offset, size, value);
    const { state } = this;
    const shift = 8 * (offset & 1);
    const bits = (value & 0xff) << shift;
    const others = 0xff << (8 - shift);
    switch (offset & ~1) {
      case STATUS:
        state.status &= ~(bits & CLEARABLE);
        break;
      case ENABLE:
        state.enable = (state.enable & others | bits) & EVENTS;
        break;
      case CONTROL:
        state.control = (state.control & others | bits) & CONTROL_KEPT;
        if ((bits & PM1_CONTROL.SLP_EN) !== 0) this.#sleep();
        break;
    }
    this.#update();
  }

  #sleep(): void {
    const type = (this.state.control & PM1_CONTROL.SLP_TYP) >> SLP_TYP_SHIFT;
    if (type === SLP_TYP_S5) this.#wires.powerOff();
    else this.#wires.sleep?.(type);
  }

  #update(): void {
    const { state } = this;
    const level = (state.status & state.enable & EVENTS) !== 0 ? 1 : 0;
    if (state.interrupt === level) return;
    state.interrupt = level;
    this.#wires.interrupt.set(level === 1);
  }
}
