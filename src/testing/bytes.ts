/**
 * Bytes as tests write them.
 *
 * @module
 */

import { Errno, KvmError, show } from "../../ffi/mod.ts";
import type { MemoryInit } from "./options.ts";

/** The bytes that a test means; `what` they are is for errors. */
export function bytesOf(what: string, init: MemoryInit): Uint8Array {
  if (typeof init === "string") return new TextEncoder().encode(init);
  if (init instanceof Uint8Array) return init;
  if (Array.isArray(init) && init.every(isByte)) return Uint8Array.from(init);
  const hint = `${what} is text, a Uint8Array or a list of bytes, each from 0 to 255`;
  throw new KvmError({ operation: `take ${show(init)} for bytes`, errno: Errno.EINVAL, hint });
}

function isByte(value: unknown): boolean {
  return Number.isInteger(value) && value as number >= 0 && value as number <= 0xff;
}
