/**
 * The time limits of one thread's runs of a vCPU, as one alarm.
 *
 * Whether a limit is over says the alarm and not a clock: who drops a limit whose alarm has still to
 * ring would wait for it for ever.
 *
 * @module
 */

import { Alarm, type Mapping } from "../../../ffi/mod.ts";

/** A limit: when it rings, in milliseconds of `performance.now()`, and its place; -1 once it is over. */
export interface Limit {
  readonly deadline: number;
  place: number;
}

/** Any number of limits; the alarm is always set for the earliest. */
export class Limits {
  readonly #alarm: Alarm;
  /** A heap: none rings before the one at half its place. */
  readonly #heap: Limit[] = [];

  /** The alarm sets this byte of a mapping, and interrupts this thread. */
  constructor(mapping: Mapping, offset: number) {
    this.#alarm = new Alarm(mapping, offset);
  }

  /** Whether the earliest limit's alarm has rung, and so has set the byte. */
  get rung(): boolean {
    return this.#heap.length > 0 && this.#alarm.rung;
  }

  /** Starts a limit. */
  add(milliseconds: number): Limit {
    Alarm.check(milliseconds);
    // Before the alarm is set, for it must not seem to ring early.
    const deadline = performance.now() + milliseconds;
    const earliest = this.#heap[0];
    if (earliest === undefined || deadline < earliest.deadline) this.#alarm.arm(milliseconds);
    const limit = { deadline, place: this.#heap.length };
    this.#heap.push(limit);
    this.#rise(limit);
    return limit;
  }

  /** Ends a limit; whether it may have rung, and nobody knew. */
  delete(limit: Limit): boolean {
    const { place } = limit;
    if (place < 0) return false;
    limit.place = -1;
    const last = this.#heap.pop()!;
    if (last !== limit) {
      this.#put(last, place);
      this.#rise(last);
      this.#sink(last);
    }
    return place === 0 && this.#rearm();
  }

  /** Ends the earliest limit, if it has rung. */
  dropRung(): void {
    if (this.rung) this.delete(this.#heap[0]!);
  }

  /** Deletes the alarm; must come before the mapping's end. */
  close(): void {
    this.#alarm.close();
  }

  #rearm(): boolean {
    const next = this.#heap[0];
    if (next === undefined) return this.#alarm.disarm();
    return this.#alarm.arm(Math.max(0, next.deadline - performance.now()));
  }

  #put(limit: Limit, place: number): void {
    this.#heap[place] = limit;
    limit.place = place;
  }

  #rise(limit: Limit): void {
    while (limit.place > 0) {
      const above = this.#heap[(limit.place - 1) >> 1]!;
      if (above.deadline <= limit.deadline) return;
      this.#swap(above, limit);
    }
  }

  #sink(limit: Limit): void {
    for (;;) {
      const left = this.#heap[2 * limit.place + 1];
      const right = this.#heap[2 * limit.place + 2];
      const below = right !== undefined && right.deadline < left!.deadline ? right : left;
      if (below === undefined || below.deadline >= limit.deadline) return;
      this.#swap(limit, below);
    }
  }

  /** Two limits change places. */
  #swap(one: Limit, other: Limit): void {
    const { place } = one;
    this.#put(one, other.place);
    this.#put(other, place);
  }
}
