/**
 * How a machine ends.
 *
 * @module
 */

import { Errno, KvmError } from "../../ffi/mod.ts";

/** Why a machine has ended without an error. */
export type MachineEnd =
  | {
    /** The guest powered it off, reset it though `onReset` is `"stop"`, or `stop` was called. */
    readonly reason: "powerOff" | "reset" | "stopped";
  }
  | {
    /** The guest wrote to the debug exit port. */
    readonly reason: "debugExit";
    /** What it wrote. */
    readonly code: number;
  };

/** What a machine has come to. */
export type Outcome = { readonly end: MachineEnd } | { readonly error: unknown };

/** A machine's outcome, from the first reason to end until somebody has heard of it. */
export class Conclusion {
  readonly #finished = Promise.withResolvers<MachineEnd>();
  #outcome: Outcome | undefined;
  #isTold = false;
  #isObserved = false;

  /** There is a reason to end: the first one counts. */
  add(outcome: Outcome): void {
    this.#outcome ??= outcome;
  }

  /** The end itself went wrong: that is more than an end without an error. */
  fail(error: unknown): void {
    if (this.#isTold) return;
    if (this.#outcome === undefined || "end" in this.#outcome) this.#outcome = { error };
  }

  /** It has ended: tells who waits. */
  tell(): void {
    const { promise, resolve, reject } = this.#finished;
    this.#isTold = true;
    if (this.#outcome === undefined) return;
    if ("end" in this.#outcome) return resolve(this.#outcome.end);
    // Whoever disposes of the machine hears of it at the latest.
    promise.catch(() => {});
    reject(this.#outcome.error);
  }

  /** Whoever asks for it hears of an error. */
  get finished(): Promise<MachineEnd> {
    this.#isObserved = true;
    return this.#finished.promise;
  }

  /** Throws the error that it has ended with, if there is one. */
  rethrow(): void {
    if (this.#outcome !== undefined && "error" in this.#outcome) throw this.#outcome.error;
  }

  /** Likewise, unless somebody has asked before. */
  rethrowUnseen(): void {
    if (!this.#isObserved) this.rethrow();
  }
}

/** The error of whatever is asked of a machine after its end. */
export function endedError(operation: string): KvmError {
  return new KvmError({ operation, errno: Errno.EPIPE, hint: "It has ended: make another one" });
}
