/**
 * A clock that all threads of the process read alike: `performance.now()` counts from the start of
 * each.
 *
 * @module
 */

import { shim } from "./shim.ts";
import { numbers } from "./syscall.ts";

// uapi linux/time.h
const CLOCK_MONOTONIC = 1n;

/** struct __kernel_timespec: seconds, nanoseconds. */
const time = new BigInt64Array(2);
const timeBytes = new Uint8Array(time.buffer);

/** Milliseconds since some moment in the past, to the nanosecond (clock_gettime(2)). */
export function monotonicMilliseconds(): number {
  shim().transfer(numbers.clock_gettime, CLOCK_MONOTONIC, timeBytes, 0n);
  return Number(time[0]!) * 1000 + Number(time[1]!) / 1e6;
}
