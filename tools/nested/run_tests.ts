/**
 * Runs the project's tests where /dev/kvm is kvm_amd's: `deno task test:nested`.
 *
 * @module
 */

import { join } from "node:path";
import { cacheFolder } from "./cache.ts";
import { type Durations, keepDurations, knownDurations } from "./durations.ts";
import { NestedError } from "./error.ts";
import { treeFiles } from "./job.ts";
import { main, runNested, tree } from "./nested.ts";
import { quote } from "./options.ts";
import { requirePrograms } from "./process.ts";
import { mergeReports, readReport, REPORT } from "./report.ts";

const usage = `Runs the tests in an emulated machine whose /dev/kvm is kvm_amd's.

Usage: deno task test:nested [OPTIONS] [-- ARGUMENTS OF DENO TEST]

  deno task test:nested -- --filter irqfd
  deno task test:nested -- tests/ffi
  deno task test:nested --report nested.xml

A whole run is divided among as many machines as there are processors, at most four; files or --doc
go to one. The examples in the documentation run only with --doc: each is a module of its own, which
takes a second here.

  --report FILE    write a report of all tests there, as deno test --junit-path does`;

/**
 * More of them than processors would only take each other's time. Each takes up to 1 GiB of memory.
 */
const MACHINES = Math.min(4, navigator.hardwareConcurrency);

/** Seconds that a file takes beside what its tests take: each is loaded with all that it imports. */
const LOADING = 2;
/** Bytes of a file whose tests take a second, more or less, where nothing better is known. */
const BYTES_PER_SECOND = 4000;

/** A file of the work tree. */
export interface SizedFile {
  readonly path: string;
  readonly size: number;
}

/**
 * What of `deno test` goes to each machine: all of it to one if the user chose files, or else a part
 * of the files to each.
 */
export function parts(
  files: readonly SizedFile[],
  rest: readonly string[],
  machines: number,
  known: Durations = {},
): string[][] {
  const chosen = rest.some((arg) =>
    arg === "--" || arg === "--doc" || arg.startsWith("--shard") ||
    !arg.startsWith("-") && files.some(({ path }) => path.startsWith(arg.replace(/^\.\//, "")))
  );
  if (chosen) return [[...rest]];
  const tests = files.filter(({ path }) => /[._]test\.ts$/.test(path));
  const count = Math.max(1, Math.min(machines, tests.length));
  const parts = Array.from({ length: count }, () => ({ seconds: 0, paths: [] as string[] }));
  const timed = tests.map(({ path, size }) => ({
    path,
    seconds: LOADING + (known[path] ?? size / BYTES_PER_SECOND),
  }));
  // The longest first, and each to whoever has least.
  for (const { path, seconds } of timed.sort((a, b) => b.seconds - a.seconds)) {
    const least = parts.reduce((a, b) => b.seconds < a.seconds ? b : a);
    least.seconds += seconds;
    least.paths.push(path);
  }
  return parts.map(({ paths }) => [...rest, ...paths.sort()]);
}

/** Undefined for a file that git still has and the folder has not. */
async function sized(path: string): Promise<SizedFile | undefined> {
  try {
    return { path, size: (await Deno.stat(join(tree, path))).size };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

if (import.meta.main) {
  await main(usage, async (options, signal) => {
    requirePrograms(["debugfs"]);
    // Emulated, the type checker takes half a minute.
    const { success, code } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "--allow-all", "--no-run", ...options.rest],
      cwd: tree,
      signal,
    }).spawn().status;
    signal.throwIfAborted();
    if (!success) return code;
    const files = (await Promise.all((await treeFiles(tree, signal)).map(sized)))
      .filter((file) => file !== undefined);
    const command = ["deno", "test", "--allow-all", "--no-check", "--cached-only"];
    command.push(`--junit-path=/job/${REPORT}`);
    const folder = cacheFolder();
    const divided = parts(files, options.rest, MACHINES, await knownDurations(folder));
    const { report } = options;
    // The file is made now: if that isn't possible, nobody has waited in vain.
    if (report !== undefined) await Deno.writeTextFile(report, "");
    const reports: (string | undefined)[] = [];
    const status = await runNested(
      divided.map((args) => [...command, ...args].map(quote).join(" ")),
      options,
      signal,
      async (image) => void reports.push(await readReport(image, signal)),
    );
    const left = reports.filter((text) => text !== undefined);
    if (left.length < reports.length) {
      // Deno refused its arguments, for one.
      if (status !== 0) return status;
      throw new NestedError("The tests left no report");
    }
    const whole = mergeReports(left);
    if (report !== undefined) await Deno.writeTextFile(report, whole);
    if (options.rest.length === 0) await keepDurations(folder, whole);
    return status;
  });
}
