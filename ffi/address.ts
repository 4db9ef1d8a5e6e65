/**
 * Addresses of buffers, for the few structs that carry a pointer.
 *
 * @module
 */

import { Errno } from "./errno.ts";
import { KvmError } from "./errors.ts";

/**
 * The address of a buffer's first byte. It holds as long as the buffer does: the caller keeps a
 * reference until the kernel is done with it.
 */
export function addressOf(buffer: Uint8Array<ArrayBuffer>): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer));
}

/** A string as C wants it: UTF-8 with a zero at the end, and none before. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) {
    const hint = "A path or name has no zero character";
    throw new KvmError({ operation: `use ${JSON.stringify(text)}`, errno: Errno.EINVAL, hint });
  }
  return new TextEncoder().encode(`${text}\0`);
}
