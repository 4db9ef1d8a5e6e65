/**
 * How a machine ends.
 *
 * @module
 */

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
