/**
 * The guest's code: where it goes and where it is entered.
 *
 * @module
 */

import { Errno, KvmError, show } from "../../ffi/mod.ts";
import { formatRange, type GuestMemory, type MemorySlot, type Range } from "../memory/mod.ts";
import type { BootOptions } from "./options.ts";
import { checkMemory, endOf, slotsOf } from "./place.ts";

/** Where code is loaded unless the caller says otherwise. */
export const LOAD_ADDRESS = 0x1000;

/** The range that the code will fill, after it was found to be right. */
export function codeRange(
  operation: string,
  memory: MemorySlot | GuestMemory,
  { code, at = LOAD_ADDRESS }: BootOptions,
  limit: number,
): Range {
  const invalid = (errno: number, hint: string) => new KvmError({ operation, errno, hint });
  checkMemory(operation, memory);
  if (!(code instanceof Uint8Array) || code.length === 0) {
    throw invalid(Errno.EINVAL, "The code is a Uint8Array with one byte at least");
  }
  if (!Number.isSafeInteger(at) || at < 0) {
    throw invalid(Errno.EINVAL, `The load address is a whole number from 0, not ${show(at)}`);
  }
  const end = Math.min(contiguousEnd(operation, memory, at), limit);
  if (end <= at) {
    const last = `The guest reaches addresses below 0x${limit.toString(16)} only`;
    throw invalid(Errno.EFAULT, `${last}: load the code lower`);
  }
  const range = { guestPhysAddr: at, size: code.length };
  if (endOf(range) > end) {
    const hint = `The code has ${code.length} bytes; from 0x${at.toString(16)} on ` +
      `${end - at} fit: add memory, or load it lower`;
    throw invalid(Errno.E2BIG, hint);
  }
  return range;
}

/** Throws unless the first instruction is one of the code's. */
export function checkEntry(operation: string, entry: number, code: Range): void {
  if (Number.isSafeInteger(entry) && entry >= code.guestPhysAddr && entry < endOf(code)) return;
  const hint = `The entry, ${show(entry)}, is no address of the code, ${formatRange(code)}`;
  throw new KvmError({ operation, errno: Errno.EINVAL, hint });
}

/** The first address that is not memory any more, from one that is. */
function contiguousEnd(
  operation: string,
  memory: MemorySlot | GuestMemory,
  address: number,
): number {
  try {
    memory.readU8(address);
  } catch (error) {
    // Outside, or closed: memory says best which, and where it is.
    if (!(error instanceof KvmError)) throw error;
    const { errno, hint } = error;
    throw new KvmError({
      operation: `${operation}: load code at 0x${address.toString(16)}`,
      errno,
      hint,
    });
  }
  let end = address;
  for (const slot of slotsOf(memory)) {
    if (slot.guestPhysAddr <= end && slot.end > end) end = slot.end;
  }
  return end;
}
