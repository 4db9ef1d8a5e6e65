/**
 * Arguments that can't be right, refused before the kernel sees them.
 *
 * @module
 */

import { Errno, KvmError } from "../../ffi/mod.ts";

/** Throws EINVAL unless `value` is a whole number from `min` to `max`. */
export function checkInteger(
  operation: string,
  name: string,
  value: number,
  min: number,
  max: number,
): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return;
  const hint = `${name} is a whole number from ${min} to ${max}, not ${String(value)}`;
  throw new KvmError({ operation, errno: Errno.EINVAL, hint });
}

/** The largest value of 32 unsigned bits. */
export const U32_MAX = 0xffff_ffff;

/** Throws EINVAL unless `value` is a multiple of `unit`, from 0. */
export function checkMultiple(
  operation: string,
  name: string,
  value: number,
  unit: number,
): void {
  if (Number.isSafeInteger(value) && value >= 0 && value % unit === 0) return;
  const hint = `${name} is a multiple of ${unit}, not ${String(value)}`;
  throw new KvmError({ operation, errno: Errno.EINVAL, hint });
}
