/**
 * How AML frames what it holds: an opcode, the length, and the terms inside.
 *
 * @module
 */

import { Errno, KvmError } from "../../../../ffi/mod.ts";
import { concat } from "../../bytes.ts";
import { invalid } from "../../check.ts";

/** AML: encoded terms, one or more. */
export type Aml = Uint8Array<ArrayBuffer>;

/** The error for what AML can't say. */
export function notAml(what: string, hint: string): KvmError {
  return invalid(`encode ${what} as AML`, hint);
}

/** Bits of a length that each number of bytes holds (ACPI 6.5, 20.2.4). */
const lengthBits = [6, 12, 20, 28] as const;

/**
 * A PkgLength (ACPI 6.5, 20.2.4): it counts what follows and itself. One byte holds 6 bits of it;
 * of more bytes the first says how many follow, and holds the lowest 4 bits.
 *
 * @param size Bytes that follow.
 * @throws {KvmError} E2BIG for 2^28 bytes.
 */
export function pkgLength(size: number): Aml {
  const more = lengthBits.findIndex((bits, index) => size + index + 1 < 2 ** bits);
  if (more === -1) {
    const hint = `A package has fewer than ${2 ** 28} bytes: divide it`;
    throw new KvmError({ operation: `encode ${size} bytes as AML`, errno: Errno.E2BIG, hint });
  }
  const length = size + more + 1;
  if (more === 0) return Uint8Array.of(length);
  const bytes = [more << 6 | length & 0xf];
  for (let index = 0; index < more; index++) bytes.push(length >>> (4 + 8 * index) & 0xff);
  return Uint8Array.from(bytes);
}

/** An opcode, the length, and what is inside. */
export function framed(opcode: readonly number[], ...parts: readonly ArrayLike<number>[]): Aml {
  const inside = concat(...parts);
  return concat(opcode, pkgLength(inside.length), inside);
}
