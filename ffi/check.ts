/**
 * Arguments that can't be right, refused before the kernel sees them.
 *
 * @module
 */

import { Errno } from "./errno.ts";
import { KvmError } from "./errors.ts";
import { show } from "./struct/mod.ts";

/** The largest value of 32 unsigned bits. */
export const U32_MAX = 0xffff_ffff;

/**
 * The number, which is never -0: a number of its own where it is looked at closely. Throws EINVAL
 * unless `value` is a whole one from `min` to `max`.
 */
export function checkInteger(
  operation: string,
  name: string,
  value: number,
  min: number,
  max: number,
): number {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value + 0;
  throw wrong(operation, `${name} is a whole number from ${min} to ${max}`, value);
}

/** Throws EINVAL unless `value` is a number from `min` to `max`, whole or not. */
export function checkNumber(
  operation: string,
  name: string,
  value: number,
  min: number,
  max: number,
): void {
  if (typeof value === "number" && value >= min && value <= max) return;
  throw wrong(operation, `${name} is a number from ${min} to ${max}`, value);
}

/** The number, never -0. Throws EINVAL unless `value` is a multiple of `unit`, from 0. */
export function checkMultiple(
  operation: string,
  name: string,
  value: number,
  unit: number,
): number {
  if (Number.isSafeInteger(value) && value >= 0 && value % unit === 0) return value + 0;
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

/**
 * Whether a value is one of a table's own names. `name in table` would find those that every object
 * has, and `table[name]` runs whatever turns the value into text.
 */
export function isName<T extends object>(table: T, value: unknown): value is keyof T & string {
  return typeof value === "string" && Object.hasOwn(table, value);
}

/** The names of an object's properties: a new one that is left out here does not compile. */
export type Names<T> = Readonly<Record<keyof T, true>>;

/**
 * Throws EINVAL unless there is an object, and nothing in it that nobody would look at: a misspelt
 * name, or another method's.
 *
 * @param beside What to say of those.
 */
export function checkNames<T extends object>(
  operation: string,
  name: string,
  options: T,
  names: Names<T>,
  beside = "",
): void {
  checkObject(operation, name, options);
  for (const option of Object.keys(options)) {
    if (Object.hasOwn(names, option) || options[option as keyof T] === undefined) continue;
    const hint = `${name} has no ${option}, but ${Object.keys(names).join(", ")}${beside}`;
    throw new KvmError({ operation, errno: Errno.EINVAL, hint });
  }
}

/**
 * Throws EINVAL unless `value` is a list; of what is for others to check.
 *
 * @param most E2BIG if it is longer: a sparse list costs nothing until it is copied. Left out where
 * each element is looked at before the next.
 */
export function checkList(
  operation: string,
  name: string,
  value: ArrayLike<unknown>,
  most = Infinity,
): void {
  const list = Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
  if (!list) throw wrong(operation, `${name} is a list`, value);
  if (value.length > most) throw tooLong(operation, name, most);
}

/** What can be iterated, as a list; EINVAL for what can't, E2BIG for what does not end in time. */
export function listOf<T>(operation: string, name: string, value: Iterable<T>, most: number): T[] {
  if (typeof value !== "object" || value === null || !(Symbol.iterator in value)) {
    throw wrong(operation, `${name} can be iterated, as a list can`, value);
  }
  const list: T[] = [];
  for (const one of value) {
    if (list.length === most) throw tooLong(operation, name, most);
    list.push(one);
  }
  return list;
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

/** Whether it is an object of no class, whose own properties are all that it has. */
export function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

// It looks at whether the memory is there, and at nothing of it.
const { keys } = Uint8Array.prototype;

/** Throws EINVAL unless `value` is bytes that are still there. */
export function checkBytes(operation: string, name: string, value: Uint8Array): void {
  if (!((value as unknown) instanceof Uint8Array)) {
    throw wrong(operation, `${name} is a Uint8Array`, value);
  }
  try {
    keys.call(value);
  } catch {
    const hint =
      `${name} is a Uint8Array whose buffer somebody has transferred, or made shorter: ` +
      "give a copy away";
    throw new KvmError({ operation, errno: Errno.EINVAL, hint });
  }
}

function wrong(operation: string, should: string, value: unknown): KvmError {
  const hint = `${should}, not ${show(value)}`;
  return new KvmError({ operation, errno: Errno.EINVAL, hint });
}

function tooLong(operation: string, name: string, most: number): KvmError {
  return new KvmError({ operation, errno: Errno.E2BIG, hint: `${name} has at most ${most}` });
}
