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
  // Room for it wherever the kernel puts the room. Nobody else gets these addresses meanwhile.
  const room = size + alignment;
  const start = mmap(attempt, room, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
  const before = Number(BigInt.asUintN(64, BigInt(phase) - start) % BigInt(alignment));
  const address = start + BigInt(before);
  try {
    mmap(attempt, size, flags | MAP_FIXED, fd, 0n, address);
  } catch (error) {
    munmap(attempt, start, room);
    throw error;
  }
  if (before > 0) munmap(attempt, start, before);
  munmap(attempt, address + BigInt(size), alignment - before);
  return address;
}

/** Puts fresh zeroes where something was mapped; they cost nothing until touched. */
export function blank(attempt: Attempt, address: bigint, size: number): void {
  mmap(attempt, size, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1n, 0n, address);
}

/** Gives addresses back. */
export function munmap(attempt: Attempt, address: bigint, size: number): void {
  syscall("munmap", attempt, address, BigInt(size));
}
