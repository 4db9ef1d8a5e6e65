/**
 * The error for an access to what is no guest memory.
 *
 * @module
 */

import { checkObject, Errno, KvmError, show } from "../../ffi/mod.ts";

/** A range of guest-physical addresses. */
export interface Range {
  /** The first address. */
  readonly guestPhysAddr: number;
  /** Bytes. */
  readonly size: number;
}

/** EFAULT, with the ranges that could have been meant; EINVAL for what is no address at all. */
export function outside(
  operation: string,
  address: number,
  length: number,
  slots: readonly Range[],
): KvmError {
  if (typeof address !== "number") {
    const hint = typeof address === "bigint"
      ? `An address is a number and no bigint: Number(${show(address)})`
      : "An address is a number";
    return new KvmError({
      operation: `${operation} at ${show(address)}`,
      errno: Errno.EINVAL,
      hint,
    });
  }
  const bytes = length === 1 ? "1 byte" : `${show(length)} bytes`;
  const ranges = slots.map(formatRange).join(", ");
  return new KvmError({
    operation: `${operation} (${bytes} at ${hex(address)})`,
    errno: Errno.EFAULT,
    hint: slots.length === 0 ? "No memory has been added" : `Guest memory is ${ranges}`,
  });
}

/** A range as "0x1000-0x1fff". */
export function formatRange(range: Range): string {
  checkObject("show a range", "A range", range);
  const { guestPhysAddr, size } = range;
  return `${hex(guestPhysAddr)}-${hex(guestPhysAddr + size - 1)}`;
}

function hex(value: number): string {
  if (!Number.isSafeInteger(value)) return String(value);
  return `${value < 0 ? "-" : ""}0x${Math.abs(value).toString(16)}`;
}
