/**
 * What the subcommands have in common.
 *
 * @module
 */

import { parseArgs, type ParseArgsConfig } from "node:util";
import type { Terminal } from "./terminal.ts";

/** How the program ended. */
export const Status = {
  /** It did what it was asked to. */
  OK: 0,
  /** KVM can't be used, or the kernel refused something. */
  FAILED: 1,
  /** It was asked for something that there is not: see `--help`. */
  USAGE: 2,
} as const;

/** A value of {@linkcode Status}. */
export type Status = (typeof Status)[keyof typeof Status];

/** A subcommand. */
export interface Command {
  /** What it does, in a few words. */
  readonly summary: string;
  /** What `--help` shows. */
  readonly help: string;
  /** The exit status for whatever goes wrong, where those of {@linkcode Status} may be another's. */
  readonly failed?: number;
  /**
   * Does it, and writes what there is to tell, on `err` what is no result; the exit status. Throws
   * `UsageError` for wrong arguments.
   */
  run(args: readonly string[], out: Terminal, err: Terminal): number | Promise<number>;
}

/** The arguments make no sense. */
export class UsageError extends Error {
  override readonly name: string = "UsageError";
}

/** What went wrong, in words for people, with an exit status of its own. */
export class Failure extends Error {
  override readonly name: string = "Failure";

  /** The exit status. */
  readonly status: number;

  /** Says it in a sentence or a report; the cause is for who looks for a bug. */
  constructor(message: string, status: number, cause?: unknown) {
    super(message, { cause });
    this.status = status;
  }
}

/** Parses arguments; whatever is wrong with them is a {@linkcode UsageError}. */
export function parse<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    // node:util throws a TypeError with a code for each kind of mistake; its first sentence tells.
    if (!(error instanceof Error && "code" in error)) throw error;
    throw new UsageError(error.message.split(". ")[0]!.replace(/\.$/, ""), { cause: error });
  }
}
