/**
 * Starts NASM and takes its output from a pipe.
 *
 * @module
 */

import { Errno, KvmError } from "../../ffi/mod.ts";
import { AssembleError, type AssembleMessage, parseMessages } from "./messages.ts";

/**
 * A flat image, to the pipe by its name in /proc. `/dev/stdout` would do, were it not that NASM
 * removes its output file after a mistake: run by root it would remove that link for everyone,
 * while nothing can be removed from /proc.
 */
const FLAT = ["-f", "bin", "-o", "/proc/self/fd/1"];

/**
 * Runs NASM with these arguments, which end in the input file.
 *
 * @throws {AssembleError} after a mistake in the source.
 * @throws {KvmError} ENOENT without NASM, EACCES without permission, E2BIG if the arguments are too
 * long.
 */
export function runNasm(
  input: readonly string[],
  warn: (warning: AssembleMessage) => void,
): Uint8Array<ArrayBuffer> {
  const { success, stdout, stderr } = start([...FLAT, ...input]);
  const output = new TextDecoder().decode(stderr);
  if (!success) throw new AssembleError(output);
  for (const message of parseMessages(output)) {
    if (message.severity === "warning") warn(message);
  }
  return stdout;
}

/**
 * Whether NASM can open a path as a folder: it reads one as an empty file, and to ask Deno would take
 * a permission to read.
 */
export function isFolder(path: string): boolean {
  return start([...FLAT, `${path}/`]).success;
}

function start(args: string[]): Deno.CommandOutput {
  try {
    return new Deno.Command("nasm", { args, stdin: "null" }).outputSync();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw refusal(Errno.ENOENT, "NASM is not installed: apt install nasm");
    }
    if (
      error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.PermissionDenied
    ) {
      throw refusal(Errno.EACCES, "Permit to run NASM: --allow-run=nasm");
    }
    // Linux limits all arguments together to a quarter of the stack, one to 128 KiB (execve(2)).
    if (error instanceof Error && error.message.includes("os error 7")) {
      throw refusal(Errno.E2BIG, "The source is too long for a string: use assembleFile");
    }
    throw error;
  }
}

function refusal(errno: number, hint: string): KvmError {
  return new KvmError({ operation: "assemble", call: "nasm", errno, hint });
}
