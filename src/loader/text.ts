/**
 * Numbers for people, and text for the guest.
 *
 * @module
 */

const encoder = new TextEncoder();

/** A number as the manuals write it. */
export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

/** UTF-8 with a zero at its end. */
export function zeroTerminated(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(`${text}\0`);
}
