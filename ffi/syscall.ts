/**
 * The bare system calls that are no ioctl, and their numbers (asm/unistd_64.h).
 *
 * @module
 */

import { Errno, errnoName } from "./errno.ts";
import { KvmError, type KvmErrorInit } from "./errors.ts";
import { shim } from "./shim.ts";

/** Their numbers. */
export const numbers = {
  read: 0,
  write: 1,
  open: 2,
  close: 3,
  fstat: 5,
  poll: 7,
  mmap: 9,
  munmap: 11,
  pread64: 17,
  sched_yield: 24,
  madvise: 28,
  kill: 62,
  fcntl: 72,
  ftruncate: 77,
  gettid: 186,
  timer_create: 222,
  timer_settime: 223,
  timer_gettime: 224,
  timer_delete: 226,
  clock_gettime: 228,
  epoll_wait: 232,
  epoll_ctl: 233,
  eventfd2: 290,
  epoll_create1: 291,
  memfd_create: 319,
} as const;

/** Whatever is tried: an eventfd, memory behind a memfd, a VM. */
const OPEN_FILES =
  "Raise the limit of open files (ulimit -n), or close VMs, vCPUs and events when done";

/** A system call this library makes. */
export type SyscallName = keyof typeof numbers;

/** What an error says beside the call and the errno. */
export type Attempt = Pick<KvmErrorInit, "operation"> & {
  /** Advice for any errno, or by errno's name. */
  readonly hint?: string | Readonly<Record<string, string>>;
};

/** A call with up to six integers; the kernel's result. */
export function syscall(name: SyscallName, attempt: Attempt, ...args: bigint[]): bigint {
  const [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n] = args;
  return checked(name, attempt, shim().syscall6(numbers[name], a, b, c, d, e, f));
}

/**
 * A call that may block, on a thread of the runtime's pool; the kernel's result, -errno on failure.
 * Memory that it names must stay mapped until it returns, even if this realm ends before.
 */
export function syscallOnPool(name: SyscallName, ...args: bigint[]): Promise<bigint> {
  const [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n] = args;
  return shim().syscall6OnPool(numbers[name], a, b, c, d, e, f);
}

/** A call whose first argument is a buffer: a path, a name. */
export function syscallWithBuffer(
  name: SyscallName,
  attempt: Attempt,
  buffer: Uint8Array<ArrayBuffer>,
  ...args: bigint[]
): bigint {
  const [a = 0n, b = 0n] = args;
  return checked(name, attempt, shim().syscallBuffer(numbers[name], buffer, a, b));
}

/** read(2) or write(2); the number of bytes. */
export function transfer(
  name: "read" | "write",
  attempt: Attempt,
  fd: number,
  buffer: Uint8Array<ArrayBuffer>,
): number {
  const { transfer } = shim();
  const length = BigInt(buffer.length);
  return Number(checked(name, attempt, transfer(numbers[name], BigInt(fd), buffer, length)));
}

function checked(call: SyscallName, { operation, hint }: Attempt, result: bigint): bigint {
  if (result >= 0n || result < -4095n) return result;
  throw failure(operation, call, Number(-result), hint);
}

/** The error for a call that returned -errno. */
export function failure(
  operation: string,
  call: string,
  errno: number,
  hint?: Attempt["hint"],
): KvmError {
  const own = typeof hint === "object" ? hint[errnoName(errno)] : undefined;
  const advice = own ?? (errno === Errno.EMFILE ? OPEN_FILES : undefined) ??
    (typeof hint === "string" ? hint : undefined);
  return new KvmError({ operation, errno, call, hint: advice });
}
