/**
 * The receiving half of a 16550A: its FIFO, or the one register of 16450 mode, with the errors that
 * came along with each byte.
 *
 * @module
 */

import type { StructOf } from "../../ffi/mod.ts";
import { UART_FCR, UART_LSR } from "./uart16550_registers.ts";
import type { uart16550State } from "./uart16550_state.ts";

const FIFO_SIZE = 16;
const TRIGGER_LEVELS = [1, 4, 8, 14] as const;

/** Bytes that have come in, over a serial port's state. */
export class Receiver {
  readonly #state: StructOf<typeof uart16550State>;

  /** Has nothing of its own. */
  constructor(state: StructOf<typeof uart16550State>) {
    this.#state = state;
  }

  /** Whether it has room. */
  get hasRoom(): boolean {
    return this.#state.count < this.#capacity;
  }

  /** Whether it has so many bytes that the guest wants to hear of them. */
  get isAtTrigger(): boolean {
    const { fcr, count } = this.#state;
    return count >= TRIGGER_LEVELS[fcr >> 6]!;
  }

  /** The error bits of LSR: overrun, and those of the byte that is next. */
  get errors(): number {
    const { overrun, count, errors, head } = this.#state;
    const next = count > 0 ? errors[head % FIFO_SIZE]! : 0;
    return next | (overrun !== 0 ? UART_LSR.OE : 0);
  }

  /** What LSR says of the receiver; the errors are said once. */
  takeStatus(): number {
    const state = this.#state;
    const { faults } = state;
    const status = this.errors | (state.count > 0 ? UART_LSR.DR : 0) |
      (faults > 0 && this.#capacity > 1 ? UART_LSR.FIFO_ERROR : 0);
    if ((status & ~UART_LSR.DR) !== 0) {
      state.overrun = 0;
      this.#forgive();
    }
    return status;
  }

  /** Adds a byte; without room, it gets lost. */
  push(byte: number, errors: number): void {
    const state = this.#state;
    if (!this.hasRoom) {
      state.overrun = 1;
      // The FIFO keeps what it has; the single register holds the newest.
      if (this.#capacity > 1) return;
      this.#forgive();
      state.count = 0;
    }
    const at = (state.head + state.count) % FIFO_SIZE;
    state.fifo[at] = byte;
    state.errors[at] = errors;
    state.count++;
    if (errors !== 0) state.faults++;
  }

  /** Takes the oldest byte; the last one again when there is none. */
  pop(): number {
    const state = this.#state;
    const head = state.head % FIFO_SIZE;
    if (state.count === 0) return state.fifo[(head + FIFO_SIZE - 1) % FIFO_SIZE]!;
    const byte = state.fifo[head]!;
    this.#forgive();
    state.head = (head + 1) % FIFO_SIZE;
    state.count--;
    return byte;
  }

  /** Forgets what it has. */
  clear(): void {
    const state = this.#state;
    state.head = state.count = state.faults = 0;
  }

  get #capacity(): number {
    return (this.#state.fcr & UART_FCR.ENABLE) !== 0 ? FIFO_SIZE : 1;
  }

  /** The next byte's errors are known, or gone with it. */
  #forgive(): void {
    const state = this.#state;
    const at = state.head % FIFO_SIZE;
    if (state.count === 0 || state.errors[at] === 0) return;
    state.errors[at] = 0;
    state.faults = Math.max(0, state.faults - 1);
  }
}
