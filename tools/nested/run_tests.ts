/**
 * Runs the project's tests where /dev/kvm is kvm_amd's: `deno task test:nested`.
 *
 * @module
 */

import { join } from "node:path";
import { treeFiles } from "./job.ts";
import { main, runNested, tree } from "./nested.ts";
import { quote } from "./options.ts";

const usage = `Runs the tests in an emulated machine whose /dev/kvm is kvm_amd's.

Usage: deno task test:nested [OPTIONS] [-- ARGUMENTS OF DENO TEST]

  deno task test:nested -- --filter irqfd
  deno task test:nested -- tests/ffi

A whole run is divided among as many machines as there are processors, at most four; files or --doc
go to one. The examples in the documentation run only with --doc: each is a module of its own, which
takes a second here.
`;

/**
 * More of them than processors would only take each other's time. Each takes up to 1 GiB of memory.
 */
const MACHINES = Math.min(4, navigator.hardwareConcurrency);

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
): string[][] {
  const chosen = rest.some((arg) =>
    arg === "--" || arg === "--doc" || arg.startsWith("--shard") ||
    !arg.startsWith("-") && files.some(({ path }) => path.startsWith(arg.replace(/^\.\//, "")))
  );
  if (chosen) return [[...rest]];
  const tests = files.filter(({ path }) => /[._]test\.ts$/.test(path));
  const count = Math.max(1, Math.min(machines, tests.length));
  const parts = Array.from({ length: count }, () => ({ size: 0, paths: [] as string[] }));
  // How long a file takes isn't known, but more of it takes longer: the largest first, and each to
  // whoever has least.
  for (const { path, size } of tests.toSorted((a, b) => b.size - a.size)) {
    const least = parts.reduce((a, b) => b.size < a.size ? b : a);
    least.size += size;
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
    const commands = parts(files, options.rest, MACHINES)
      .map((args) => ["deno", "test", "--allow-all", "--no-check", "--cached-only", ...args]);
    return await runNested(commands.map((words) => words.map(quote).join(" ")), options, signal);
  });
}
