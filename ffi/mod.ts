/**
 * The floor: everything that touches raw memory or the kernel. The folders above know file
 * descriptors, mappings and typed structs, and no address.
 *
 * @module
 */

export { Alarm } from "./alarm.ts";
export { addressOf } from "./address.ts";
export {
  checkBytes,
  checkInstance,
  checkInteger,
  checkList,
  checkMultiple,
  checkNames,
  checkNumber,
  checkObject,
  checkU64,
  isName,
  isPlain,
  listOf,
  type Names,
  U32_MAX,
} from "./check.ts";
export { monotonicMilliseconds } from "./clock.ts";
export { Errno, errnoName } from "./errno.ts";
export { KvmError, type KvmErrorInit } from "./errors.ts";
export { createEventFd, EVENT_FD_MAX, readEventFd, writeEventFd } from "./event_fd.ts";
export { closedError, Fd, type StructIoctl } from "./fd.ts";
export { type FilePlace, placeOfFile } from "./fstat.ts";
export { withPointer } from "./indirect.ts";
export { define, encode, type Ioctl, type IoctlSpec, type Layer } from "./ioctl.ts";
export { kick, Kickable, type KickHandle } from "./kick.ts";
export { type HugePages, Mapping, type MappingOptions, PAGE_SIZE } from "./mapping.ts";
export { POLL, poll } from "./poll.ts";
export { PoolRun } from "./pool_run.ts";
export { pread } from "./pread.ts";
export { createPty, type PtyMaster, readPty, writePty } from "./pty.ts";
export { type EndingSignal, endingSignals, raise, stopHere } from "./raise.ts";
export { readable, stopWaiting } from "./readable.ts";
export * from "./struct/mod.ts";
export { getTerminalModes, rawModes, setTerminalModes, type TerminalModes } from "./termios.ts";
