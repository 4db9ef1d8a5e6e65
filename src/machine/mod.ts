/**
 * A whole machine: it boots a kernel, from Linux to a few bytes of flat code.
 *
 * {@linkcode Machine} needs `--allow-ffi`, and `--allow-read` for files that it is given by path.
 *
 * @module
 */

export type { Device, InterruptLine } from "../devices/mod.ts";
export { GuestCrash } from "./crash.ts";
export type { MachineEnd } from "./end.ts";
export { Machine, type MachineState } from "./machine.ts";
export {
  type FileSource,
  type InternalErrorAnswer,
  type InternalErrorEvent,
  type KernelOptions,
  type MachineOptions,
  parseSize,
  type SerialOptions,
  type TripleFaultAnswer,
  type TripleFaultEvent,
} from "./options.ts";
export type { Output } from "./output.ts";
export { Pty } from "./pty.ts";
export type { SerialLine } from "./serial.ts";
export {
  type ConsoleActions,
  consoleActions,
  type ConsoleMachine,
  TerminalConsole,
} from "./terminal.ts";
