/**
 * What tables are put together from. Their integers are little-endian.
 *
 * @module
 */

/** All of the parts, one after another. */
export function concat(...parts: readonly ArrayLike<number>[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** ASCII text in a field of `length` bytes, filled up with spaces. */
export function ascii(text: string, length: number = text.length): number[] {
  return [...text.padEnd(length)].map((character) => character.charCodeAt(0));
}

/**
 * The two bytes of an integer. A field that lies at an odd offset is `"u8[2]"` in its struct's
 * table, for the layout language knows C's rules alone, and firmware packs its structs.
 */
export function word(value: number): number[] {
  return [value & 0xff, value >>> 8 & 0xff];
}

/** The four bytes of an integer. */
export function dword(value: number): number[] {
  return [...word(value), ...word(value >>> 16)];
}

/** The byte that makes the sum of all these bytes, itself counted as 0 among them, a multiple of 256. */
export function checksum(bytes: Uint8Array): number {
  return -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
}
