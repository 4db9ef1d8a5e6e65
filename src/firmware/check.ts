/**
 * Refuses descriptions that no table can say.
 *
 * @module
 */

import { Errno, KvmError } from "../../ffi/mod.ts";

/** The error for an argument that can't be right. */
export function invalid(operation: string, hint: string): KvmError {
  return new KvmError({ operation, errno: Errno.EINVAL, hint });
}

/** Refuses what is no whole number from `low` to `high`; EINVAL. */
export function checkInteger(
  operation: string,
  what: string,
  value: number,
  low: number,
  high: number,
): void {
  if (Number.isSafeInteger(value) && value >= low && value <= high) return;
  throw invalid(operation, `${what} is a whole number from ${low} to ${high}, not ${value}`);
}
