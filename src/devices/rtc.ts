/**
 * The clock with its battery-backed memory: a Motorola MC146818A, as the PC/AT has it (MC146818A
 * data sheet).
 *
 * ```
 * offset  read   write
 * 0       -      index of a register; bit 7 masks the NMI
 * 1       the register, data
 * ```
 *
 * The time is the host's and an offset, UTC. It counts in whole milliseconds, so the periodic
 * interrupt comes a thousand times a second at most. Nothing runs between two accesses: what has
 * happened meanwhile follows from the time of the last one.
 *
 * A hostile guest sets its own time and 128 bytes of its own. The alarm's next time is found in at
 * most some 150 steps, whatever the registers say.
 *
 * @module
 */

import { checkInteger, checkNames, create, type StructOf } from "../../ffi/mod.ts";
import { OPEN_BYTE, readBytewise, writeBytewise } from "./bytewise.ts";
import type { InterruptLine, TimedDevice } from "./device.ts";
import { RTC, RTC_A, RTC_B, RTC_C, RTC_D } from "./rtc_registers.ts";
import {
  isTime,
  modulo,
  nextAlarm,
  SECOND,
  timeIndices,
  timeOf,
  timeRegister,
} from "./rtc_time.ts";

/** All that an {@linkcode Rtc} remembers. */
export const rtcState = {
  /** The host's time up to which register C knows what happened, in milliseconds since 1970. */
  seen: "gpa",
  /** How far the guest's clock is ahead of the host's: whole days. */
  offsetDays: "s32",
  /** How far beyond these, in milliseconds. */
  offset: "s32",
  /** The register that the data port shows. */
  index: "u8",
  /** Whether the guest has masked the NMI; nothing here heeds it. */
  nmiMasked: "u8",
  /** The interrupt line's level. */
  interrupt: "u8",
  /** All registers. Those of the time count only while it stands still. */
  cmos: "u8[128]",
} as const;

/** What an {@linkcode Rtc} is connected to. */
export interface RtcWires {
  /** IRQ 8. */
  readonly interrupt: InterruptLine;
  /** The host's time in milliseconds since 1970; `Date.now` by default. */
  readonly clock?: (() => number) | undefined;
}

/** How much memory a machine has, for {@linkcode Rtc.setMemorySize}. */
export interface CmosMemorySize {
  /** Bytes below 4 GiB, all from 0 on. */
  readonly below4G: number;
  /** Bytes from 4 GiB on; 0 by default. */
  readonly above4G?: number | undefined;
}

const INDEX = 0;
const DATA = 1;
const INDEX_MASK = 0x7f;
const NMI_MASK = 0x80;
const A_DEFAULT = 0x26;
const DAY = 86_400_000;
const HALF_SECOND = SECOND / 2;
/** The update takes 1984 us, and the bit is up for 244 us before: together the last of a second. */
const UPDATE_BEGINS = SECOND - 2;
const FLAGS = RTC_C.UF | RTC_C.AF | RTC_C.PF;
const KIB = 1024;
const MIB = 1 << 20;
const BASE_KIB = 640;

/**
 * The clock.
 *
 * @example
 * ```ts
 * import { Rtc, RTC, unconnected } from "@deno-kvm/kvm/devices";
 *
 * const clock = () => Date.UTC(2024, 1, 29, 23, 59, 58);
 * const rtc = new Rtc({ interrupt: unconnected, clock });
 * rtc.write(0, 1, RTC.HOURS);
 * console.log(rtc.read(1, 1).toString(16)); // 23, as BCD
 * ```
 */
export class Rtc implements TimedDevice {
  /** All that it remembers. */
  readonly state: StructOf<typeof rtcState>;
  readonly #interrupt: InterruptLine;
  readonly #clock: () => number;

  /** With a state it goes on from there; without, from power-on with the host's time. */
  constructor({ interrupt, clock = Date.now }: RtcWires, state?: StructOf<typeof rtcState>) {
    this.#interrupt = interrupt;
    this.#clock = clock;
    this.state = state ?? create(rtcState);
    if (state === undefined) this.reset();
  }

  /** Back to what a PC's firmware leaves; time and memory have a battery, and stay. */
  reset(): void {
    const { state } = this;
    const { cmos } = state;
    cmos[RTC.B] = cmos[RTC.B]! & ~FLAGS;
    this.#control(RTC.A, A_DEFAULT);
    this.#control(RTC.B, RTC_B.HOURS_24);
    cmos[RTC.C] = 0;
    cmos[RTC.D] = RTC_D.VRT;
    state.index = state.nmiMasked = 0;
    state.seen = this.#now();
  }

  /** When the next interrupt that the guest wants is due, in milliseconds since 1970. */
  get deadline(): number {
    const { cmos, seen } = this.state;
    const b = cmos[RTC.B]!;
    // What is up already can't come again before the guest has read it.
    const wanted = b & ~cmos[RTC.C]! & FLAGS;
    if (wanted === 0) return Infinity;
    const offset = this.#offset;
    let next = Infinity;
    if ((wanted & RTC_C.PF) !== 0) next = nextPeriod(seen + offset, this.#frequency);
    if (this.#running) {
      const second = Math.floor((seen + offset) / SECOND);
      if ((wanted & RTC_C.UF) !== 0) next = Math.min(next, (second + 1) * SECOND);
      if ((wanted & RTC_C.AF) !== 0) next = Math.min(next, nextAlarm(second, cmos, b) * SECOND);
    }
    return next - offset;
  }

  /** Raises the interrupts that are due. */
  elapse(): void {
    this.#catchUp();
    this.#update();
  }

  /** The guest reads a register; the index itself can't be read. */
  read(offset: number, size: number): number {
    if (size !== 1) return readBytewise(this, offset, size);
    return offset === DATA ? this.#read(this.state.index & INDEX_MASK) : OPEN_BYTE;
  }

  /** The guest writes the index, or a register. */
  write(offset: number, size: number, value: number): void {
    if (size !== 1) return writeBytewise(this, offset, size, value);
    const { state } = this;
    if (offset === INDEX) {
      state.index = value & INDEX_MASK;
      state.nmiMasked = (value & NMI_MASK) !== 0 ? 1 : 0;
    } else if (offset === DATA) this.#write(state.index & INDEX_MASK, value);
  }

  /**
   * Leaves in memory how much memory there is, where firmwares look for it.
   *
   * @throws {KvmError} EINVAL for a size that can't be.
   */
  setMemorySize(size: CmosMemorySize): void {
    const operation = "set the memory's size";
    checkNames(operation, "What has it", size, { below4G: true, above4G: true });
    const { below4G, above4G = 0 } = size;
    checkInteger(operation, "below4G", below4G, 0, Number.MAX_SAFE_INTEGER);
    checkInteger(operation, "above4G", above4G, 0, Number.MAX_SAFE_INTEGER);
    this.#store(RTC.BASE_MEMORY, 2, Math.min(below4G / KIB, BASE_KIB));
    this.#store(RTC.EXTENDED_MEMORY, 2, (below4G - MIB) / KIB);
    this.#store(RTC.EXTENDED_MEMORY_FOUND, 2, (below4G - MIB) / KIB);
    this.#store(RTC.HIGH_MEMORY, 2, (below4G - 16 * MIB) / (64 * KIB));
    this.#store(RTC.MEMORY_ABOVE_4G, 3, above4G / (64 * KIB));
  }

  get #running(): boolean {
    const { cmos } = this.state;
    return (cmos[RTC.B]! & RTC_B.SET) === 0 && !this.#held;
  }

  /** Whether the divider is held at zero. */
  get #held(): boolean {
    return (this.state.cmos[RTC.A]! & RTC_A.DIVIDER_RESET) === RTC_A.DIVIDER_RESET;
  }

  /** Periods of the periodic interrupt in a second; 0 while there is none. */
  get #frequency(): number {
    const rate = this.state.cmos[RTC.A]! & RTC_A.RATE;
    if (rate === 0 || this.#held) return 0;
    // The two fastest rates of the crystal that a PC has are slow ones in truth.
    return 0x8000 >> (rate < 3 ? rate + 7 : rate) - 1;
  }

  get #offset(): number {
    return this.state.offsetDays * DAY + this.state.offset;
  }

  set #offset(offset: number) {
    const days = Math.floor(offset / DAY);
    this.state.offsetDays = days;
    this.state.offset = offset - days * DAY;
  }

  #now(): number {
    return Math.max(0, Math.floor(this.#clock()));
  }

  #read(index: number): number {
    const { cmos } = this.state;
    if (index === RTC.C) return this.#takeFlags();
    if (!this.#running) return cmos[index]!;
    if (index === RTC.A) {
      const updating = modulo(this.#now() + this.#offset, SECOND) >= UPDATE_BEGINS;
      return cmos[RTC.A]! | (updating ? RTC_A.UIP : 0);
    }
    return isTime(index)
      ? timeRegister(index, this.#now() + this.#offset, cmos[RTC.B]!)
      : cmos[index]!;
  }

  #write(index: number, value: number): void {
    const { cmos } = this.state;
    if (index === RTC.C || index === RTC.D) return;
    if (index === RTC.A || index === RTC.B) return this.#control(index, value);
    // What was due until now has come by what the registers were until now.
    this.#catchUp();
    if (isTime(index) && this.#running) {
      this.#stop(cmos[RTC.B]!);
      cmos[index] = value;
      this.#start();
    } else cmos[index] = value;
    this.#update();
  }

  /** Registers A and B: what they change applies from now on. */
  #control(index: number, value: number): void {
    const { cmos } = this.state;
    this.#catchUp();
    const b = cmos[RTC.B]!;
    const wasRunning = this.#running;
    const wasHeld = this.#held;
    if (index === RTC.A) cmos[RTC.A] = value & ~RTC_A.UIP;
    // SET clears UIE (data sheet, "Register B").
    else cmos[RTC.B] = (value & RTC_B.SET) !== 0 ? value & ~RTC_B.UIE : value;
    if (wasRunning && !this.#running) this.#stop(b);
    // The divider goes on while the time is set; let go, it begins in the middle of a second.
    if (wasHeld && !this.#held) this.#offset = HALF_SECOND - this.#now();
    if (!wasRunning && this.#running) this.#start();
    this.#update();
  }

  /** Leaves the time in its registers. */
  #stop(b: number): void {
    const { cmos } = this.state;
    const time = this.#now() + this.#offset;
    for (let at = 0; at < timeIndices.length; at++) {
      const index = timeIndices[at]!;
      cmos[index] = timeRegister(index, time, b);
    }
  }

  /** The time goes on from its registers, and from where the divider is. */
  #start(): void {
    const { cmos } = this.state;
    const now = this.#now();
    const phase = modulo(now + this.#offset, SECOND);
    this.#offset = timeOf(cmos, cmos[RTC.B]!) + phase - now;
    this.state.seen = now;
  }

  #takeFlags(): number {
    const { cmos } = this.state;
    this.#catchUp();
    const flags = cmos[RTC.C]!;
    const interrupts = (flags & cmos[RTC.B]! & FLAGS) !== 0;
    cmos[RTC.C] = 0;
    this.#update();
    return flags | (interrupts ? RTC_C.IRQF : 0);
  }

  /** Sets the flags of what happened since the last time. */
  #catchUp(): void {
    const { state } = this;
    const { cmos, seen } = state;
    const now = this.#now();
    state.seen = now;
    if (now <= seen) return;
    const offset = this.#offset;
    const before = seen + offset;
    const time = now + offset;
    let flags = cmos[RTC.C]!;
    const frequency = this.#frequency;
    if (frequency !== 0 && periods(time, frequency) > periods(before, frequency)) {
      flags |= RTC_C.PF;
    }
    const second = Math.floor(time / SECOND);
    const secondBefore = Math.floor(before / SECOND);
    if (second > secondBefore && this.#running) {
      flags |= RTC_C.UF;
      if (nextAlarm(secondBefore, cmos, cmos[RTC.B]!) <= second) flags |= RTC_C.AF;
    }
    cmos[RTC.C] = flags;
  }

  #update(): void {
    const { state } = this;
    const level = (state.cmos[RTC.B]! & state.cmos[RTC.C]! & FLAGS) !== 0 ? 1 : 0;
    if (state.interrupt === level) return;
    state.interrupt = level;
    this.#interrupt.set(level === 1);
  }

  #store(index: number, size: number, value: number): void {
    const { cmos } = this.state;
    const whole = Math.max(0, Math.min(Math.floor(value), 2 ** (8 * size) - 1));
    for (let at = 0; at < size; at++) cmos[index + at] = whole >> 8 * at;
  }
}

/** How many periods have passed since 1970; a frequency is a power of two, in Hz. */
function periods(time: number, frequency: number): number {
  const second = Math.floor(time / SECOND);
  return second * frequency + Math.floor((time - second * SECOND) * frequency / SECOND);
}

/** When the next one is over, in whole milliseconds; Infinity without any. */
function nextPeriod(time: number, frequency: number): number {
  if (frequency === 0) return Infinity;
  const next = periods(time, frequency) + 1;
  const second = Math.floor(next / frequency);
  return second * SECOND + Math.ceil((next - second * frequency) * SECOND / frequency);
}
