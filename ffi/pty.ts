/**
 * Pseudo-terminals: pty(7), ioctl_tty(2).
 *
 * @module
 */

import { cString } from "./address.ts";
import { Errno } from "./errno.ts";
import { Fd } from "./fd.ts";
import { shim } from "./shim.ts";
import { failure, numbers, syscallWithBuffer } from "./syscall.ts";
import { controlTerminal, getTerminalModes, setTerminalModes } from "./termios.ts";

// uapi asm-generic/ioctls.h
const TIOCGPTN = { name: "TIOCGPTN", request: 0x8004_5430 };
const TIOCSPTLCK = { name: "TIOCSPTLCK", request: 0x4004_5431 };

// uapi asm-generic/fcntl.h
const O_RDWR = 2n;
const O_NOCTTY = 0o400n;
const O_NONBLOCK = 0o4000n;
const O_CLOEXEC = 0o2000000n;
const FLAGS = O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC;

/** The program's end of a pseudo-terminal. */
export interface PtyMaster {
  /** Never blocks. */
  readonly fd: Fd;
  /** The terminal that others open. */
  readonly path: string;
}

/**
 * Creates a pseudo-terminal that hands bytes on as they are: no echo, no lines, no signals.
 *
 * @throws {KvmError} ENOENT where there are no pseudo-terminals, ENOSPC where there are too many.
 */
export function createPty(): PtyMaster {
  const operation = "create a pseudo-terminal";
  const hint = {
    ENOENT: "Mount devpts on /dev/pts, with /dev/ptmx",
    ENOSPC: "All of them are in use: see /proc/sys/kernel/pty/max",
  };
  const open = (path: string) =>
    new Fd(Number(syscallWithBuffer("open", { operation, hint }, cString(path), FLAGS)), "pty");
  const fd = open("/dev/ptmx");
  try {
    const word = new Uint32Array(1);
    const bytes = new Uint8Array(word.buffer);
    controlTerminal(fd, TIOCSPTLCK, bytes, operation);
    controlTerminal(fd, TIOCGPTN, bytes, operation);
    const path = `/dev/pts/${word[0]}`;
    // On the master's side these two speak of the terminal.
    const modes = getTerminalModes(fd);
    modes.iflag = modes.oflag = modes.lflag = 0;
    setTerminalModes(fd, modes);
    // A terminal that nobody has opened yet does not count as hung up, and one that was closed does.
    open(path).close();
    return { fd, path };
  } catch (error) {
    fd.close();
    throw error;
  }
}

/** Bytes that were read: 0 if there are none now, -1 while nobody has the terminal open. */
export function readPty(fd: Fd, buffer: Uint8Array<ArrayBuffer>): number {
  return transfer("read", fd, buffer);
}

/**
 * Bytes that were written: 0 if there is no room now. What nobody has the terminal open for stays
 * until somebody does, as far as there is room.
 */
export function writePty(fd: Fd, bytes: Uint8Array<ArrayBuffer>): number {
  return transfer("write", fd, bytes);
}

function transfer(call: "read" | "write", fd: Fd, bytes: Uint8Array<ArrayBuffer>): number {
  const length = BigInt(bytes.length);
  const result = Number(shim().transfer(numbers[call], BigInt(fd.number), bytes, length));
  if (result >= 0) return result;
  if (result === -Errno.EAGAIN || result === -Errno.EINTR) return 0;
  if (result === -Errno.EIO) return -1;
  throw failure(`${call} the pseudo-terminal`, call, -result);
}
