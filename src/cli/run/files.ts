/**
 * Files that the command line names.
 *
 * @module
 */

import { Failure } from "../command.ts";
import { RunStatus } from "./status.ts";

/** Does something with a file; what the system refuses is told with the path. */
export function withFile<T>(operation: string, path: string, action: (path: string) => T): T {
  try {
    return action(path);
  } catch (error) {
    const reason = systemReason(error);
    if (reason === undefined) throw error;
    throw new Failure(`Cannot ${operation} ${path}: ${reason}`, RunStatus.FAILED, error);
  }
}

/** The system's own words in an error of the runtime's: "No such file or directory". */
export function systemReason(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return /^(.*?) \(os error \d+\)/.exec(error.message)?.[1];
}
