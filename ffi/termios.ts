/**
 * Modes of a terminal: termios(3), ioctl_tty(2).
 *
 * @module
 */

import { Errno } from "./errno.ts";
import type { Fd } from "./fd.ts";
import { shim } from "./shim.ts";
import { bytesOf, create, type StructOf } from "./struct/mod.ts";
import { failure } from "./syscall.ts";

// uapi asm-generic/ioctls.h. TCSETSW would wait until somebody has read what was written.
const TCGETS = { name: "TCGETS", request: 0x5401 };
const TCSETS = { name: "TCSETS", request: 0x5402 };

/** `struct termios` (uapi asm-generic/termbits.h). */
export const termios = {
  iflag: "u32",
  oflag: "u32",
  cflag: "u32",
  lflag: "u32",
  line: "u8",
  cc: "u8[19]",
} as const;

// uapi asm-generic/termbits.h and termbits-common.h
const BRKINT = 0o2, PARMRK = 0o10, INPCK = 0o20, ISTRIP = 0o40;
const INLCR = 0o100, IGNCR = 0o200, ICRNL = 0o400, IXON = 0o2000;
const INPUT_CHANGES = BRKINT | PARMRK | INPCK | ISTRIP | INLCR | IGNCR | ICRNL | IXON;
const ISIG = 0o1, ICANON = 0o2, ECHO = 0o10, ECHONL = 0o100, IEXTEN = 0o100000;
const LINES = ISIG | ICANON | ECHO | ECHONL | IEXTEN;
const CS8 = 0o60;
const VTIME = 5;
const VMIN = 6;

/** A terminal's modes. */
export type TerminalModes = StructOf<typeof termios>;

/** An ioctl of terminals. */
export interface TerminalIoctl {
  /** The kernel's name for it. */
  readonly name: string;
  /** The request number. */
  readonly request: number;
}

/** An ioctl on a terminal; the argument is of the size that the request wants. */
export function controlTerminal(
  fd: Fd,
  { name, request }: TerminalIoctl,
  argument: Uint8Array<ArrayBuffer>,
  operation = `control the ${fd.what}`,
): void {
  let result: number;
  do result = shim().ioctlBuffer(fd.number, request, argument); while (result === -Errno.EINTR);
  if (result < 0) throw failure(operation, name, -result);
}

/** What a terminal's modes are. */
export function getTerminalModes(fd: Fd): TerminalModes {
  const modes = create(termios);
  controlTerminal(fd, TCGETS, bytesOf(modes));
  return modes;
}

/** Sets them, without waiting for anything. */
export function setTerminalModes(fd: Fd, modes: TerminalModes): void {
  controlTerminal(fd, TCSETS, bytesOf(modes));
}

/** The same terminal with every key a byte at once, and no signal; its output stays as it is. */
export function rawModes(modes: TerminalModes): TerminalModes {
  const raw = create(termios);
  bytesOf(raw).set(bytesOf(modes));
  raw.iflag &= ~INPUT_CHANGES;
  raw.cflag |= CS8;
  raw.lflag &= ~LINES;
  raw.cc[VMIN] = 1;
  raw.cc[VTIME] = 0;
  return raw;
}
