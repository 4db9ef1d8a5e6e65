/**
 * Bytes as tests write them.
 *
 * @module
 */

import type { MemoryInit } from "./options.ts";

/** The bytes that a test means. */
export function bytesOf(init: MemoryInit): Uint8Array {
  if (typeof init === "string") return new TextEncoder().encode(init);
  return init instanceof Uint8Array ? init : Uint8Array.from(init);
}
