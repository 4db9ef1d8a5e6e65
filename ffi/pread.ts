/**
 * Reads a file at an offset.
 *
 * @module
 */

import { addressOf } from "./address.ts";
import { Errno } from "./errno.ts";
import { KvmError } from "./errors.ts";
import { called, closedError, type Fd } from "./fd.ts";
import { syscall } from "./syscall.ts";

/**
 * Fills a buffer with a file's bytes from `offset` on.
 *
 * @throws {KvmError} EIO if the file ends before the buffer is full; EBADF once closed.
 */
export function pread(fd: Fd, buffer: Uint8Array<ArrayBuffer>, offset: number): void {
  const operation = `read ${buffer.length} bytes of ${called(fd.what)} at ${offset}`;
  if (fd.closed) throw closedError(operation, fd.what);
  for (let done = 0; done < buffer.length;) {
    const rest = buffer.subarray(done);
    const args = [BigInt(fd.number), addressOf(rest), BigInt(rest.length), BigInt(offset + done)];
    const count = Number(syscall("pread64", { operation }, ...args));
    if (count === 0) {
      const hint = "It ends before that";
      throw new KvmError({ operation, call: "pread64", errno: Errno.EIO, hint });
    }
    done += count;
  }
}
