/**
 * A timer that interrupts its own thread's system call: how a vCPU's run is given a limit.
 *
 * The signal alone would be lost if it came just before KVM_RUN; so the signal's handler (in
 * `shim.asm`) also sets a byte, and KVM looks at that byte, `immediate_exit`, on entry (api.rst,
 * 5. The kvm_run structure).
 *
 * @module
 */

import { addressOf } from "./address.ts";
import { Errno } from "./errno.ts";
import { KvmError } from "./errors.ts";
import { closedError } from "./fd.ts";
import type { Mapping } from "./mapping.ts";
import { handleSignal, SIGNAL } from "./signal.ts";
import { assign, bytesOf, create } from "./struct/mod.ts";
import { syscall } from "./syscall.ts";

const CLOCK_MONOTONIC = 1n;
const SIGEV_THREAD_ID = 4;
const NANOSECONDS = 1_000_000_000n;
/** The kernel's limit is higher; a wait of a year is a mistake or no limit at all. */
const LONGEST = 366 * 86_400_000;

const sigevent = {
  value: "u64",
  signo: "s32",
  notify: "s32",
  tid: "s32",
  pad: "s32[11]",
} as const;

const itimerspec = {
  intervalSec: "s64",
  intervalNsec: "s64",
  valueSec: "s64",
  valueNsec: "s64",
} as const;

const timerId = { id: "s32" } as const;

/** A one-shot timer (timer_create(2)) of the thread that made it. */
export class Alarm implements Disposable {
  readonly #id: bigint;
  readonly #spec = create(itimerspec);
  readonly #left = create(itimerspec);
  // Fields, for the collector sees no use of an address.
  readonly #event = create(sigevent);
  readonly #timer = create(timerId);
  #closed = false;

  /** On expiry, sets the byte at `offset` of a mapping to 1 and interrupts this thread. */
  constructor(mapping: Mapping, offset: number) {
    const operation = "create a timer";
    handleSignal();
    assign(this.#event, {
      value: mapping.address + BigInt(offset),
      signo: SIGNAL,
      notify: SIGEV_THREAD_ID,
      tid: Number(syscall("gettid", { operation })),
    });
    const hint = "Timers count as pending signals: raise that limit (ulimit -i)";
    const addresses = [addressOf(bytesOf(this.#event)), addressOf(bytesOf(this.#timer))];
    syscall("timer_create", { operation, hint }, CLOCK_MONOTONIC, ...addresses);
    this.#id = BigInt(this.#timer.id);
  }

  /** Throws EINVAL for a time that {@linkcode arm} does not take. */
  static check(milliseconds: number): void {
    if (Number.isFinite(milliseconds) && milliseconds >= 0 && milliseconds <= LONGEST) return;
    const operation = `set a timer of ${milliseconds} ms`;
    const hint = "A time limit is a number of milliseconds from 0 to a year";
    throw new KvmError({ operation, errno: Errno.EINVAL, hint });
  }

  /** Starts it anew, to expire once after so many milliseconds; whether it was over before. */
  arm(milliseconds: number): boolean {
    Alarm.check(milliseconds);
    // The clock has no less than a nanosecond, and 0 would stop the timer.
    const nanoseconds = BigInt(Math.max(1, Math.round(milliseconds * 1e6)));
    return this.#set(`set a timer of ${milliseconds} ms`, nanoseconds);
  }

  /** Stops it; whether it was over before. */
  disarm(): boolean {
    return this.#set("stop a timer", 0n);
  }

  /** Whether it has rung, and the byte is set, since it was started. */
  get rung(): boolean {
    const operation = "look at a timer";
    if (this.#closed) throw closedError(operation, "timer");
    syscall("timer_gettime", { operation }, this.#id, addressOf(bytesOf(this.#left)));
    return this.#left.valueSec === 0n && this.#left.valueNsec === 0n;
  }

  #set(operation: string, nanoseconds: bigint): boolean {
    // The kernel may have given the number to another timer.
    if (this.#closed) throw closedError(operation, "timer");
    this.#spec.valueSec = nanoseconds / NANOSECONDS;
    this.#spec.valueNsec = nanoseconds % NANOSECONDS;
    const [spec, left] = [addressOf(bytesOf(this.#spec)), addressOf(bytesOf(this.#left))];
    syscall("timer_settime", { operation }, this.#id, 0n, spec, left);
    // One that is due and on its way to ring has a nanosecond left.
    return this.#left.valueSec === 0n && this.#left.valueNsec <= 1n;
  }

  /** Deletes the timer; must come before the mapping's end, for the handler writes to it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    syscall("timer_delete", { operation: "delete a timer" }, this.#id);
  }

  /** {@linkcode close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
