/**
 * Values for a struct's fields, refused by name: in plain objects, which users write by hand.
 *
 * @module
 */

import { Errno } from "../errno.ts";
import { KvmError } from "../errors.ts";
import type { ScalarName } from "./types.ts";

const bitsOf = { u8: 8, s8: 8, u16: 16, s16: 16, u32: 32, s32: 32 } as const;

/**
 * Throws EINVAL unless a value is of a field's type and fits into its bits, as a signed number or as
 * an unsigned one: `~0` is a mask of 32 bits, too.
 */
export function checkScalar(path: string, name: string, scalar: ScalarName, value: unknown): void {
  switch (scalar) {
    case "u64":
    case "s64":
      if (typeof value !== "bigint") {
        const example = Number.isSafeInteger(value) ? `${value}n` : "4096n";
        throw wrongField(path + name, value, `a bigint: ${example}`);
      }
      if (BigInt.asUintN(64, value) === value || BigInt.asIntN(64, value) === value) return;
      throw wrongField(path + name, value, "a bigint of 64 bits");
    case "gpa":
      if (Number.isSafeInteger(value) && value as number >= 0) return;
      throw wrongField(path + name, value, "a whole number from 0 to 2^53 - 1");
    default: {
      const bits = bitsOf[scalar];
      const number = value as number;
      if (Number.isInteger(value) && number < 2 ** bits && number >= -(2 ** (bits - 1))) return;
      throw wrongField(path + name, value, `a whole number of ${bits} bits`);
    }
  }
}

/** The error for a value that a field can't have: what it is, and what it should be. */
export function wrongField(field: string, value: unknown, should: string): KvmError {
  const hint = `${field} is ${should}`;
  return new KvmError({ operation: `use ${show(value)} as ${field}`, errno: Errno.EINVAL, hint });
}

/** The error for a name that is no field's. */
export function noField(field: string, names: Iterable<string>): KvmError {
  const hint = `There is no such field: it has ${[...names].join(", ")}`;
  return new KvmError({ operation: `set ${field}`, errno: Errno.EINVAL, hint });
}

/** Whatever it is a list of is checked later. */
export function isList(value: unknown): value is ArrayLike<number> {
  return typeof value === "object" && value !== null &&
    Number.isSafeInteger((value as ArrayLike<unknown>).length) &&
    (value as ArrayLike<unknown>).length >= 0;
}

/** A value in a few words, whatever it is: its own way to be text may throw. */
export function show(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
    case "bigint":
      return `${value}n`;
    case "object":
      return value === null ? "null" : Array.isArray(value) ? "a list" : "an object";
    case "function":
      return "a function";
    default:
      return String(value);
  }
}
