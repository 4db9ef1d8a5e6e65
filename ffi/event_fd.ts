/**
 * eventfd(2): a counter of 64 bits behind a file descriptor. Writing adds, reading takes; KVM can do
 * either by itself.
 *
 * @module
 */

import { Errno } from "./errno.ts";
import { closedError, Fd } from "./fd.ts";
import { shim } from "./shim.ts";
import { failure, numbers, syscall } from "./syscall.ts";

// uapi linux/eventfd.h
const EFD_SEMAPHORE = 1n;
const EFD_NONBLOCK = 0o4000n;
const EFD_CLOEXEC = 0o2000000n;

/** The largest number that the counter holds, and that can be written at once. */
export const EVENT_FD_MAX = 2n ** 64n - 2n;

const SIZE = 8n;
const cell = new BigUint64Array(1);
const cellBytes = new Uint8Array(cell.buffer);

/** A new counter at `initial`, at most 2^32 - 1; a semaphore's reads take 1, others all. */
export function createEventFd(initial: number, semaphore: boolean): Fd {
  const operation = "create an eventfd";
  const flags = EFD_CLOEXEC | EFD_NONBLOCK | (semaphore ? EFD_SEMAPHORE : 0n);
  return new Fd(Number(syscall("eventfd2", { operation }, BigInt(initial), flags)), "eventfd");
}

/** Adds to the counter. */
export function writeEventFd(fd: Fd, value: bigint): void {
  cell[0] = value;
  const result = shim().transfer(numbers.write, BigInt(fd.number), cellBytes, SIZE);
  if (result >= 0n) return;
  const operation = "signal an eventfd";
  if (fd.closed) throw closedError(operation, fd.what);
  const hint = { EAGAIN: "The counter is full: nobody reads it" };
  throw failure(operation, "write", Number(-result), hint);
}

/** Takes what the counter holds, or 1 of a semaphore's; undefined if that is 0. */
export function readEventFd(fd: Fd): bigint | undefined {
  const result = shim().transfer(numbers.read, BigInt(fd.number), cellBytes, SIZE);
  if (result >= 0n) return cell[0];
  const errno = Number(-result);
  if (errno === Errno.EAGAIN) return undefined;
  const operation = "read an eventfd";
  if (fd.closed) throw closedError(operation, fd.what);
  throw failure(operation, "read", errno);
}
