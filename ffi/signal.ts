/**
 * The signal that interrupts a vCPU's run.
 *
 * @module
 */

import { shim } from "./shim.ts";
import { failure } from "./syscall.ts";

/** A real-time signal: the runtime handles or ignores several of the others itself. */
export const SIGNAL = 44;

let table: bigint | undefined;

/**
 * Gives {@linkcode SIGNAL} its handler, for the whole process: it sets the byte that an expired
 * timer names, and otherwise does nothing but end KVM_RUN, and what else can't be restarted, with EINTR.
 *
 * @returns The address of the process's table of vCPUs that can be kicked.
 */
export function handleSignal(): bigint {
  if (table !== undefined) return table;
  const result = shim().handleTimerSignal(SIGNAL);
  if (result < 0n) throw failure("handle a signal", "rt_sigaction", Number(-result));
  return table = result;
}
