/**
 * Bytes as tests write them.
 *
 * @module
 */

import { checkList, Errno, KvmError, show } from "../../ffi/mod.ts";
import type { MemoryInit } from "./options.ts";

/** A sparse list would cost nothing until it is copied; a Uint8Array may be of any length. */
const LIST_MAX = 1 << 20;

/** The bytes that a test means; `what` they are is for errors. */
export function bytesOf(what: string, init: MemoryInit): Uint8Array {
  if (typeof init === "string") return new TextEncoder().encode(init);
  if (init instanceof Uint8Array) return init;
  if (Array.isArray(init)) {
    checkList("take a list for bytes", what, init, LIST_MAX);
    // Not every(), which would pass over what a sparse list lacks.
    if (!init.includes(undefined) && init.every(isByte)) return Uint8Array.from(init);
  }
  const hint = `${what} is text, a Uint8Array or a list of bytes, each from 0 to 255`;
  throw new KvmError({ operation: `take ${show(init)} for bytes`, errno: Errno.EINVAL, hint });
}

function isByte(value: unknown): boolean {
  return Number.isInteger(value) && value as number >= 0 && value as number <= 0xff;
}
