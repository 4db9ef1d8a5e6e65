/**
 * One run from beginning to end: what is needed, the machine, and afterwards nothing but the cache.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { cacheFolder } from "../support/cache.ts";
import { requirePrograms } from "../support/process.ts";
import { inTemporaryFolder } from "../support/temporary.ts";
import { runTool } from "../support/tool.ts";
import { jobImage, npmPackages } from "./job.ts";
import { type Ending, runMachine, StuckError } from "./machine.ts";
import { commonUsage, effectiveLimit, type Options, parseOptions } from "./options.ts";
import { packages } from "./packages.ts";
import { rootImage } from "./root.ts";
import { inTurns } from "./turns.ts";

/** The work tree's root. */
export const tree: string = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** What every run needs; xz is asked for only by kernels that have their modules compressed. */
export const needed: readonly string[] = [
  "qemu-system-x86_64",
  "mke2fs",
  "git",
  "ldd",
  "setpriv",
  "taskset",
  "dpkg-deb",
];

/** How often a command begins in machines that get stuck. */
const ATTEMPTS = 3;

/** A task's main function: options, help and the exit status. */
export async function main(
  usage: string,
  task: (options: Options, signal: AbortSignal) => Promise<number>,
): Promise<never> {
  return await runTool("nested", async (signal) => {
    const options = parseOptions(Deno.args);
    if (options.help) {
      console.log(`${usage}\n${commonUsage}`);
      return 0;
    }
    requirePrograms(needed);
    if (!options.guests) return await task(options, signal);
    console.log((await packages(cacheFolder("nested"), options, signal)).guests);
    return 0;
  });
}

/** What all machines of a run share. */
interface Prepared {
  readonly kernel: string;
  readonly root: string;
  readonly npm: string;
}

/** What one machine is to do; see {@linkcode Job} and {@linkcode Machine}. */
interface Run {
  readonly command: string | undefined;
  readonly output: ((bytes: Uint8Array) => void) | undefined;
  readonly signal: AbortSignal;
  readonly index: number;
  /** What else to do when it has ended, given its disk. */
  readonly afterwards: ((image: string) => Promise<void>) | undefined;
}

/**
 * Runs shell commands inside, each in a machine of its own, side by side, and returns the first exit
 * status that isn't 0. Their output comes in their order.
 *
 * @param afterwards What else to do when one has ended, given its disk.
 */
export async function runNested(
  commands: readonly string[],
  options: Options,
  signal: AbortSignal,
  afterwards?: (image: string) => Promise<void>,
): Promise<number> {
  const prepared = await prepare(options, signal);
  const failed = new AbortController();
  const turns = inTurns(commands.length, writeOut);
  const runs = commands.map(async (command, index) => {
    const { write, end } = turns[index]!;
    try {
      const output = write;
      const run = {
        command,
        output,
        signal: AbortSignal.any([signal, failed.signal]),
        index,
        afterwards,
      };
      const { status, boot, seconds } = await runUnstuck(prepared, options, run);
      const summary = `nested: status ${status}, booted in ${boot} s, ${seconds} s in all\n`;
      write(new TextEncoder().encode(summary));
      return status;
    } catch (error) {
      failed.abort(error);
      throw error;
    } finally {
      end();
    }
  });
  // Each cleans up before the process may end.
  await Promise.allSettled(runs);
  signal.throwIfAborted();
  failed.signal.throwIfAborted();
  return (await Promise.all(runs)).find((status) => status !== 0) ?? 0;
}

/** Runs a shell on this terminal. */
export async function runShell(options: Options, signal: AbortSignal): Promise<number> {
  const prepared = await prepare(options, signal);
  const run = { command: undefined, output: undefined, signal, index: 0, afterwards: undefined };
  return (await runMachineWith(prepared, options, run)).status;
}

async function prepare(options: Options, signal: AbortSignal): Promise<Prepared> {
  const folder = cacheFolder("nested");
  const unpacked = await packages(folder, options, signal);
  const root = await rootImage(folder, unpacked, options.withQemu, signal);
  return { kernel: unpacked.kernel, root, npm: await npmPackages(folder, tree, signal) };
}

/** Begins anew when QEMU is stuck: whatever the command has done is gone with the machine. */
async function runUnstuck(
  prepared: Prepared,
  options: Options,
  run: Run,
): Promise<Ending & { seconds: number }> {
  for (let attempt = 1;; attempt++) {
    try {
      return await runMachineWith(prepared, options, run);
    } catch (error) {
      if (!(error instanceof StuckError) || attempt === ATTEMPTS) throw error;
      console.error(`nested: ${error.message}\nnested: the command begins anew in another one`);
    }
  }
}

async function runMachineWith(
  { kernel, root, npm }: Prepared,
  options: Options,
  { command, output, signal, index, afterwards }: Run,
): Promise<Ending & { seconds: number }> {
  const started = performance.now();
  return await inTemporaryFolder("deno-kvm-nested-", async (folder) => {
    const job = await jobImage({ tree, npm, command }, folder, signal);
    const limit = effectiveLimit(options, output === undefined);
    const disks = [root, job];
    const ending = await runMachine({ kernel, disks, folder, limit, output, signal, index });
    await afterwards?.(job);
    return { ...ending, seconds: Math.round((performance.now() - started) / 100) / 10 };
  });
}

function writeOut(bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    written += Deno.stdout.writeSync(bytes.subarray(written));
  }
}
