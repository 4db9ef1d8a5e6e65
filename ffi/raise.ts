/**
 * Signals to this process (uapi asm/signal.h).
 *
 * @module
 */

import { syscall } from "./syscall.ts";

/** The signals by which a user, a terminal, a timer or a service manager ends a process. */
export const endingSignals = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGALRM: 14,
  SIGTERM: 15,
} as const;

/** The name of one of {@linkcode endingSignals}. */
export type EndingSignal = keyof typeof endingSignals;

/**
 * How long the runtime gets, in milliseconds: once somebody has listened, it takes all signals to a
 * thread of its own, which ends the process when nobody listens any more.
 */
const GRACE = 200;

const SIGSTOP = 19;

const never = new Int32Array(new SharedArrayBuffer(4));

/**
 * Has this process get a signal as if from outside. It returns only if somebody listens to it, who
 * hears of it afterwards: otherwise that was the end of the process. `Deno.kill` does much the same,
 * and needs `--allow-run` for it.
 */
export function raise(signal: EndingSignal): void {
  const attempt = { operation: `raise ${signal}` };
  syscall("kill", attempt, BigInt(Deno.pid), BigInt(endingSignals[signal]));
  Atomics.wait(never, 0, 0, GRACE);
}

/** Stops this process, as Ctrl-Z does; it returns when the process goes on. */
export function stopHere(): void {
  syscall("kill", { operation: "stop this process" }, BigInt(Deno.pid), BigInt(SIGSTOP));
}
