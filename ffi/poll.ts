/**
 * What a file descriptor would do now, asked without waiting: poll(2).
 *
 * @module
 */

import type { Fd } from "./fd.ts";
import { syscallWithBuffer } from "./syscall.ts";

/** Bits of {@linkcode poll}'s answer (uapi asm-generic/poll.h). */
export const POLL = {
  /** A read would not block; it may find the end of the file. */
  IN: 0x001,
  /** A write would not block. */
  OUT: 0x004,
  /** An error is pending. */
  ERR: 0x008,
  /** Nobody is at the other end. */
  HUP: 0x010,
} as const;

/** `struct pollfd`: a descriptor, then 16 bits of what is asked for and 16 of the answer. */
const request = new Int32Array(2);
const bytes = new Uint8Array(request.buffer);
const REVENTS_SHIFT = 16;

/** Which of {@linkcode POLL} hold. A regular file is always readable. */
export function poll(fd: Fd): number {
  request[0] = fd.number;
  request[1] = POLL.IN | POLL.OUT;
  syscallWithBuffer("poll", { operation: `look at the ${fd.what}` }, bytes, 1n, 0n);
  return request[1] >>> REVENTS_SHIFT;
}
