/**
 * The command lines of both tasks.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { UsageError } from "../support/error.ts";

/** Seconds; the project's own tests take a third of it. */
const DEFAULT_LIMIT = 600;

export interface Options {
  readonly help: boolean;
  /** Seconds, or undefined if not given. */
  readonly limit: number | undefined;
  /** A folder with .deb files to use in place of apt. */
  readonly debs: string | undefined;
  /** A suite of Debian to take the packages from, where the machine's own is not meant. */
  readonly suite: string | undefined;
  /** Whether QEMU is inside, too. */
  readonly withQemu: boolean;
  /** Whether only to tell where the guests' files are, out here. */
  readonly guests: boolean;
  /** Whether to run the tests that have nothing to do with KVM, too. */
  readonly all: boolean;
  /** Where to put a report of the tests. */
  readonly report: string | undefined;
  /** What is not for the tool itself. */
  readonly rest: readonly string[];
}

/** The part of the help that both tasks share. */
export const commonUsage =
  `  --limit SECONDS  cut it off after so long, ${DEFAULT_LIMIT} if not given; 0 is never
  --debs FOLDER    take the .deb files of what runs inside from there and not from apt
  --suite SUITE    take them from another suite of Debian: trixie-backports has newer kernels
  --with-qemu      have QEMU inside, to compare with
  --guests         only print the folder, out here, of the guests that the tests inside boot
  --help           show this

Exit status: that of the command inside; 124 if it was cut off, 125 if the machine itself failed or
something is missing, 128 and the signal's number if a signal ended it.`;

const takesValue = new Map([
  ["--limit", true],
  ["--debs", true],
  ["--suite", true],
  ["--with-qemu", false],
  ["--guests", false],
  ["--all", false],
  ["--report", true],
  ["--help", false],
]);

/**
 * Own options come first; from the first word that is none on, or after a `--`, all is the
 * command's. Its first word may look like an option only there.
 *
 * @throws {UsageError}
 */
export function parseOptions(args: readonly string[]): Options {
  let end = 0;
  for (let word = args[0]; word !== undefined; word = args[end]) {
    const name = word.split("=")[0]!;
    const value = takesValue.get(name);
    if (value === undefined) {
      if (word === "--" || !word.startsWith("-")) break;
      throw new UsageError(`Unknown option '${name}': those of what runs inside come after --`);
    }
    end += value && !word.includes("=") ? 2 : 1;
  }
  const rest = args.slice(args[end] === "--" ? end + 1 : end);
  try {
    const { values } = parseArgs({
      args: args.slice(0, end),
      options: {
        help: { type: "boolean" },
        limit: { type: "string" },
        debs: { type: "string" },
        suite: { type: "string" },
        "with-qemu": { type: "boolean" },
        guests: { type: "boolean" },
        all: { type: "boolean" },
        report: { type: "string" },
      },
    });
    const { help = false, debs, suite, guests = false, all = false, report } = values;
    const withQemu = values["with-qemu"] ?? false;
    const limit = values.limit === undefined ? undefined : seconds(values.limit);
    return { help, limit, debs, suite, withQemu, guests, all, report, rest };
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message);
    throw error;
  }
}

/** The limit that holds: somebody who sits at a shell may stay. */
export function effectiveLimit({ limit }: Options, interactive: boolean): number {
  return limit ?? (interactive ? 0 : DEFAULT_LIMIT);
}

/** Quotes a word for a shell. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function seconds(text: string): number {
  // A timer of more than 24 days ends at once.
  if (/^\d+$/.test(text) && Number(text) <= 1_000_000) return Number(text);
  throw new UsageError(`--limit takes a whole number of seconds up to a million, not ${text}`);
}
