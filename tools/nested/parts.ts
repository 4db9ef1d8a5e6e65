/**
 * Which tests go to which machine.
 *
 * @module
 */

import type { Durations } from "./durations.ts";

/** Seconds of the longest files, for the first run on a machine; the others go by their size. */
const guesses: Durations = {
  "tests/machine/linux_test.ts": 43,
  "tests/machine/machine_test.ts": 22,
  "tests/kvm/attack_test.ts": 15,
  "tests/cli/run/start_test.ts": 14,
  "tests/kvm/signals_test.ts": 13,
  "tests/kvm/kick_test.ts": 11,
  "tests/kvm/workers_test.ts": 9,
  "tests/kvm/run_control_test.ts": 7,
  "tests/machine/devices_test.ts": 7,
  "tests/cli/run/consoles_test.ts": 7,
  "tests/machine/memtest_test.ts": 6,
  "tests/examples_test.ts": 6,
  "tests/machine/ending_test.ts": 5,
  "tests/kvm/attack_views_test.ts": 4,
};
/** Bytes of a file whose tests take a second, more or less, where nothing better is known. */
const BYTES_PER_SECOND = 6000;
/** Seconds that a file takes beside what its tests take, to be read. */
const LOADING = 0.2;

/** A file of the work tree. */
export interface SizedFile {
  readonly path: string;
  readonly size: number;
}

/** What of the tests one machine runs. */
export interface Part {
  /** Arguments of `deno test`. */
  readonly args: readonly string[];
  /** The files, as paths from the tree's root. Empty if the arguments say what is to run. */
  readonly files: readonly string[];
}

/** Whether a file is one that `deno test` looks for. */
export function isTest(path: string): boolean {
  return /[._]test\.ts$/.test(path);
}

/** Whether a word of the command line names files of the tree, by their path or its beginning. */
function names(word: string, { path }: SizedFile): boolean {
  return !word.startsWith("-") && path.startsWith(word.replace(/^\.\//, ""));
}

/**
 * Divides the tests among machines: those that the user chose go to one, and where only Deno knows
 * what was chosen, all is left to it.
 *
 * @param rest Arguments of `deno test`.
 * @param usesKvm Whether a file's tests have anything to do with KVM; others run if they are chosen.
 */
export function parts(
  files: readonly SizedFile[],
  rest: readonly string[],
  machines: number,
  usesKvm: (path: string) => boolean,
  known: Durations = {},
): Part[] {
  if (rest.some((arg) => arg === "--" || arg === "--doc" || arg.startsWith("--shard"))) {
    return [{ args: rest, files: [] }];
  }
  const tests = files.filter(({ path }) => isTest(path));
  const paths = rest.filter((word) => files.some((file) => names(word, file)));
  const args = rest.filter((word) => !paths.includes(word));
  if (paths.length > 0) {
    const chosen = tests.filter((file) => paths.some((word) => names(word, file)));
    // A file that is no test by its name, or none at all: Deno says what it thinks of it.
    if (chosen.length === 0) return [{ args: rest, files: [] }];
    return [{ args, files: chosen.map(({ path }) => path) }];
  }
  const wanted = tests.filter(({ path }) => usesKvm(path));
  const count = Math.max(1, Math.min(machines, wanted.length));
  const parts = Array.from({ length: count }, () => ({ seconds: 0, files: [] as string[] }));
  const timed = wanted.map(({ path, size }) => ({
    path,
    seconds: LOADING + (known[path] ?? guesses[path] ?? size / BYTES_PER_SECOND),
  }));
  // The longest first, and each to whoever has least.
  for (const { path, seconds } of timed.sort((a, b) => b.seconds - a.seconds)) {
    const least = parts.reduce((a, b) => b.seconds < a.seconds ? b : a);
    least.seconds += seconds;
    least.files.push(path);
  }
  return parts.map(({ files }) => ({ args, files: files.sort() }));
}
