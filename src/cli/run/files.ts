/**
 * Files that the command line names.
 *
 * @module
 */

import { Failure } from "../command.ts";
import { RunStatus } from "./status.ts";

/** Does something with a file; what the system refuses is told with the path. */
export async function withFile<T>(
  operation: string,
  path: string,
  action: (path: string) => Promise<T>,
): Promise<T> {
  try {
    return await action(path);
  } catch (error) {
    const reason = systemReason(error);
    if (reason === undefined) throw error;
    throw new Failure(`Cannot ${operation} ${path}: ${reason}`, RunStatus.FAILED, error);
  }
}

/** A file's bytes. */
export function readWhole(
  path: string,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  return withFile("read", path, async (path) => {
    const { isFile, isDirectory } = await Deno.stat(path);
    // A pipe or a device may have no end; of a directory the system says itself what it is.
    if (!isFile && !isDirectory) {
      throw new Failure(`Cannot read ${path}: It is no regular file`, RunStatus.FAILED);
    }
    return await Deno.readFile(path, signal === undefined ? {} : { signal });
  });
}

/** What a promise resolves with; once the signal is aborted, a failure that says what was waited for. */
export async function withinTimeout<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  message: string,
): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(new Failure(message, RunStatus.TIMEOUT));
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

/** The system's own words in an error of the runtime's: "No such file or directory". */
export function systemReason(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return /^(.*?) \(os error \d+\)/.exec(error.message)?.[1];
}
