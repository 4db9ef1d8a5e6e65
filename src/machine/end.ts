/**
 * How a machine ends.
 *
 * @module
 */

import { Errno, KvmError } from "../../ffi/mod.ts";

/** Why a machine has ended without an error. */
export type MachineEnd =
  | {
    /** The guest powered it off, reset it though `onReset` is `"stop"`, or `stop` was called. */
    readonly reason: "powerOff" | "reset" | "stopped";
  }
  | {
    /** The guest wrote to the debug exit port. */
    readonly reason: "debugExit";
    /** What it wrote. */
    readonly code: number;
  };

/** The error of whatever is asked of a machine after its end. */
export function endedError(operation: string): KvmError {
  return new KvmError({ operation, errno: Errno.EPIPE, hint: "It has ended: make another one" });
}
