/**
 * mmap(2) and munmap(2), and their flags.
 *
 * @module
 */

import { type Attempt, syscall } from "./syscall.ts";

// uapi asm-generic/mman-common.h, mman.h
export const MAP_SHARED = 0x01n;
export const MAP_PRIVATE = 0x02n;
export const MAP_FIXED = 0x10n;
export const MAP_ANONYMOUS = 0x20n;
export const MAP_NORESERVE = 0x4000n;
export const MAP_HUGETLB = 0x40000n;
const PROT_NONE = 0n;
const PROT_READ_WRITE = 3n;

/** Maps memory that can be read and written; its address. */
export function mmap(
  attempt: Attempt,
  size: number,
  flags: bigint,
  fd = -1n,
  offset = 0n,
  address = 0n,
): bigint {
  return syscall("mmap", attempt, address, BigInt(size), PROT_READ_WRITE, flags, fd, offset);
}

/** Takes addresses that nobody else gets, and no memory; no limit but that of addresses counts it. */
function reserve(attempt: Attempt, size: number): bigint {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  return syscall("mmap", attempt, 0n, BigInt(size), PROT_NONE, flags, -1n, 0n);
}

/**
 * {@linkcode mmap} at `phase` bytes behind a multiple of `alignment`, a power of two. The kernel
 * itself, before Linux 6.7, heeds pages only.
 */
export function mmapAligned(
  attempt: Attempt,
  size: number,
  flags: bigint,
  fd: bigint | undefined,
  alignment: number,
  phase: number,
): bigint {
  // Room for it wherever the kernel puts the room.
  const room = size + alignment;
  const start = reserve(attempt, room);
  try {
    const before = Number(BigInt.asUintN(64, BigInt(phase) - start) % BigInt(alignment));
    const address = start + BigInt(before);
    mmap(attempt, size, flags | MAP_FIXED, fd, 0n, address);
    if (before > 0) munmap(attempt, start, before);
    munmap(attempt, address + BigInt(size), alignment - before);
    return address;
  } catch (error) {
    munmap(attempt, start, room);
    throw error;
  }
}

/** Puts fresh zeroes where something was mapped; they cost nothing until touched. */
export function blank(attempt: Attempt, address: bigint, size: number): void {
  mmap(attempt, size, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1n, 0n, address);
}

/** Gives addresses back. */
export function munmap(attempt: Attempt, address: bigint, size: number): void {
  syscall("munmap", attempt, address, BigInt(size));
}
