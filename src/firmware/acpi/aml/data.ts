/**
 * Integers, text, buffers and packages (ACPI 6.5, 20.2.3 and 20.2.5.4).
 *
 * @module
 */

import { ascii, concat } from "../../bytes.ts";
import { type Aml, framed, notAml } from "./encode.ts";

const ZERO_OP = 0x00;
const ONE_OP = 0x01;
const BYTE_PREFIX = 0x0a;
const WORD_PREFIX = 0x0b;
const DWORD_PREFIX = 0x0c;
const STRING_PREFIX = 0x0d;
const QWORD_PREFIX = 0x0e;
const BUFFER_OP = 0x11;
const PACKAGE_OP = 0x12;
const ONES_OP = 0xff;

/** All bits of an integer of a table of revision 2. */
const ONES = 0xffff_ffff_ffff_ffffn;

/**
 * An integer, in as few bytes as it goes.
 *
 * @param value From 0 to 2^64 - 1; a number up to 2^53.
 * @throws {KvmError} EINVAL for another value.
 */
export function integer(value: number | bigint): Aml {
  if (typeof value === "number" && !Number.isSafeInteger(value) || value < 0 || value > ONES) {
    throw notAml(String(value), "An integer is a whole number from 0 to 2^64 - 1");
  }
  const bits = BigInt(value);
  if (bits === 0n) return Uint8Array.of(ZERO_OP);
  if (bits === 1n) return Uint8Array.of(ONE_OP);
  if (bits === ONES) return Uint8Array.of(ONES_OP);
  if (bits <= 0xffn) return constant(BYTE_PREFIX, bits, 1);
  if (bits <= 0xffffn) return constant(WORD_PREFIX, bits, 2);
  if (bits <= 0xffff_ffffn) return constant(DWORD_PREFIX, bits, 4);
  return constant(QWORD_PREFIX, bits, 8);
}

function constant(prefix: number, value: bigint, size: number): Aml {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return concat([prefix], bytes.subarray(0, size));
}

/**
 * ASCII text.
 *
 * @throws {KvmError} EINVAL if it has another character, or a zero.
 */
export function text(value: string): Aml {
  // deno-lint-ignore no-control-regex -- AML's strings have every ASCII character but the zero
  if (!/^[\x01-\x7f]*$/.test(value)) {
    throw notAml(JSON.stringify(value), "A string has ASCII characters, and no zero");
  }
  return concat([STRING_PREFIX], ascii(value), [0]);
}

/** Bytes. */
export function buffer(bytes: Uint8Array): Aml {
  return framed([BUFFER_OP], integer(bytes.length), bytes);
}

/**
 * A package of 255 elements at most, each of them data or the name of something.
 *
 * @throws {KvmError} EINVAL for more.
 */
export function packageOf(...elements: readonly Aml[]): Aml {
  if (elements.length > 255) {
    throw notAml(`${elements.length} elements`, "A package has 255 elements at most");
  }
  return framed([PACKAGE_OP], [elements.length], ...elements);
}

/**
 * A device's id in its compressed form, an integer (ACPI 6.5, 19.6 "EISAID"): three letters of 5
 * bits each and four hexadecimal digits, big-endian.
 *
 * @param id `"PNP0501"`.
 * @throws {KvmError} EINVAL for another form.
 */
export function eisaId(id: string): Aml {
  const match = /^([A-Z]{3})([0-9A-F]{4})$/.exec(id);
  if (match === null) {
    throw notAml(JSON.stringify(id), 'An EISA id is like "PNP0501": letters, hexadecimal digits');
  }
  const letters = [...match[1]!].reduce((bits, letter) => bits << 5 | letter.charCodeAt(0) - 64, 0);
  const view = new DataView(new ArrayBuffer(4));
  view.setUint16(0, letters);
  view.setUint16(2, parseInt(match[2]!, 16));
  return integer(view.getUint32(0, true));
}
