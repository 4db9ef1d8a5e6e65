/**
 * Numbers for people, and numbers and text for the guest.
 *
 * @module
 */

const HALF = 2 ** 32;
const encoder = new TextEncoder();

/** A number as the manuals write it. */
export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

/** UTF-8 with a zero at its end. */
export function zeroTerminated(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(`${text}\0`);
}

/** A number of up to 53 bits as two of 32. */
export function halves(value: number): [low: number, high: number] {
  return [value % HALF, Math.floor(value / HALF)];
}
