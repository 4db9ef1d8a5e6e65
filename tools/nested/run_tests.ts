/**
 * Runs the project's tests where /dev/kvm is kvm_amd's: `deno task test:nested`.
 *
 * @module
 */

import { join } from "node:path";
import { cacheFolder } from "../support/cache.ts";
import { isSystemError, UsageError } from "../support/error.ts";
import { requirePrograms } from "../support/process.ts";
import { keepDurations, knownDurations } from "./durations.ts";
import { NestedError } from "./error.ts";
import { treeFiles } from "./job.ts";
import { main, runNested, tree } from "./nested.ts";
import { quote } from "./options.ts";
import { isTest, type Part, parts, type SizedFile } from "./parts.ts";
import { mergeReports, readReport, REPORT } from "./report.ts";
import { findKvmUsers, importsOf } from "./uses_kvm.ts";

const usage = `Runs the tests in an emulated machine whose /dev/kvm is kvm_amd's.

Usage: deno task test:nested [OPTIONS] [-- ARGUMENTS OF DENO TEST]

  deno task test:nested -- --filter irqfd
  deno task test:nested -- tests/ffi
  deno task test:nested --report nested.xml

A whole run is divided among as many machines as there are processors, at most four; files or --doc
go to one. Tests that have nothing to do with KVM are left out, unless their files are named or --all
is given. The examples in the documentation run only with --doc: each is a module of its own, which
takes a second here.

  --all            run the tests that have nothing to do with KVM, too
  --report FILE    write a report of all tests there, as deno test --junit-path does`;

/**
 * More of them than processors would only take each other's time. Each takes up to 1 GiB of memory.
 */
const MACHINES = Math.min(4, navigator.hardwareConcurrency);

/** Undefined for a file that git still has and the folder has not. */
async function sized(path: string): Promise<SizedFile | undefined> {
  try {
    return { path, size: (await Deno.stat(join(tree, path))).size };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * What the shell inside runs. The files are one module: loaded one by one, each would take a second
 * and more for what it shares with the others.
 */
function commandOf({ args, files }: Part): string {
  const command = ["deno", "test", "--allow-all", "--no-check", "--cached-only"];
  command.push(`--junit-path=/job/${REPORT}`, ...args);
  if (files.length === 0) return command.map(quote).join(" ");
  const all = "/tmp/tests.js";
  const text = quote(importsOf(tree, files));
  const script = `printf %s ${text} >${all}; exec ${[...command, all].map(quote).join(" ")}`;
  return ["sh", "-c", script].map(quote).join(" ");
}

async function makeReport(path: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, "");
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new UsageError(`--report wants a file that can be written: ${error.message}`);
  }
}

if (import.meta.main) {
  await main(usage, async (options, signal) => {
    requirePrograms(["debugfs"]);
    const { report } = options;
    // The file is made now: if that isn't possible, nobody has waited in vain.
    if (report !== undefined) await makeReport(report);
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
    const folder = cacheFolder("nested");
    const usesKvm = options.all
      ? () => true
      : await findKvmUsers(tree, files.map(({ path }) => path).filter(isTest), signal);
    const known = await knownDurations(folder);
    const divided = parts(files, options.rest, MACHINES, usesKvm, known);
    const reports: (string | undefined)[] = [];
    const status = await runNested(
      divided.map(commandOf),
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
