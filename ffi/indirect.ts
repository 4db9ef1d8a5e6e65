/**
 * Structs that carry the address of a buffer of the caller's.
 *
 * @module
 */

import { addressOf } from "./address.ts";

/** Where buffers are held while the kernel uses them: the collector sees no use of an address. */
const held = new Set<Uint8Array<ArrayBuffer>>();

/** The fields of a struct, or the elements of an array, that can hold an address. */
type AddressField<S> = { [K in keyof S]: S[K] extends bigint ? K : never }[keyof S];

/**
 * Makes a call while a field of a struct points to a buffer. The kernel may read and write the buffer
 * as far as that call's own rules say: it must be that large.
 *
 * @param buffer A view of an ArrayBuffer that was made first: the engine may move the bytes of a
 * small array that was not.
 */
export function withPointer<S extends object, R>(
  struct: S,
  field: AddressField<S>,
  buffer: Uint8Array<ArrayBuffer>,
  call: () => R,
): R {
  held.add(buffer);
  try {
    (struct as Record<PropertyKey, unknown>)[field as PropertyKey] = addressOf(buffer);
    return call();
  } finally {
    held.delete(buffer);
  }
}
