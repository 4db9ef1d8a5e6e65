/**
 * Runs the project's tests where /dev/kvm is kvm_amd's: `deno task test:nested`.
 *
 * @module
 */

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

/**
 * What of `deno test` goes to each machine: all of it to one if the user chose files, or else a part
 * of the files to each.
 */
export function parts(
  files: readonly string[],
  rest: readonly string[],
  machines: number,
): string[][] {
  const chosen = rest.some((arg) =>
    arg === "--" || arg === "--doc" || arg.startsWith("--shard") ||
    !arg.startsWith("-") && files.some((file) => file.startsWith(arg.replace(/^\.\//, "")))
  );
  if (chosen) return [[...rest]];
  const tests = files.filter((file) => /(^|[/._])test\.ts$/.test(file));
  const count = Math.max(1, Math.min(machines, tests.length));
  // One after the other, as cards are dealt: neighbours take similarly long.
  return Array.from({ length: count }, (_, part) => [
    ...rest,
    ...tests.filter((_, index) => index % count === part),
  ]);
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
    const commands = parts(await treeFiles(tree, signal), options.rest, MACHINES)
      .map((args) => ["deno", "test", "--allow-all", "--no-check", "--cached-only", ...args]);
    return await runNested(commands.map((words) => words.map(quote).join(" ")), options, signal);
  });
}
