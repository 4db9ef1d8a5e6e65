/**
 * Arguments that can't be right, refused before the kernel sees them.
 *
 * @module
 */

import { Errno, KvmError, show } from "../../ffi/mod.ts";

/** Throws EINVAL unless `value` is a whole number from `min` to `max`. */
export function checkInteger(
  operation: string,
  name: string,
  value: number,
  min: number,
  max: number,
): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return;
  throw wrong(operation, `${name} is a whole number from ${min} to ${max}`, value);
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
  throw wrong(operation, `${name} is a multiple of ${unit}`, value);
}

/** Throws EINVAL unless `value` is a bigint of 64 bits, from 0. */
export function checkU64(operation: string, name: string, value: bigint): void {
  if (typeof value === "bigint" && BigInt.asUintN(64, value) === value) return;
  throw wrong(operation, `${name} is a bigint from 0 to 2^64 - 1`, value);
}

/** Throws EINVAL unless there is an object to look for properties in: null has none. */
export function checkObject(operation: string, name: string, value: object): void {
  if (typeof value === "object" && value !== null) return;
  throw wrong(operation, `${name} is an object`, value);
}

/** Throws EINVAL unless `value` is a list; of what is for others to check. */
export function checkList(operation: string, name: string, value: ArrayLike<unknown>): void {
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return;
  throw wrong(operation, `${name} is a list`, value);
}

/** What can be iterated, as a list; EINVAL for what can't. */
export function listOf<T>(operation: string, name: string, value: Iterable<T>): T[] {
  if (typeof value === "object" && value !== null && Symbol.iterator in value) return [...value];
  throw wrong(operation, `${name} can be iterated, as a list can`, value);
}

/** Throws EINVAL unless `value` is one of a class's objects. */
export function checkInstance(
  operation: string,
  name: string,
  value: object,
  type: { readonly name: string; readonly prototype: object },
): void {
  if (Object.prototype.isPrototypeOf.call(type.prototype, value)) return;
  const article = /^[AEIOU]/.test(type.name) ? "an" : "a";
  throw wrong(operation, `${name} is ${article} ${type.name}`, value);
}

function wrong(operation: string, should: string, value: unknown): KvmError {
  const hint = `${should}, not ${show(value)}`;
  return new KvmError({ operation, errno: Errno.EINVAL, hint });
}
