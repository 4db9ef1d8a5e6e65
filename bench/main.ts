/**
 * Measures this library beside C and plain JavaScript, in one run, by turns: `deno task bench`.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { Baseline, CompileError } from "./c.ts";
import { calls } from "./calls.ts";
import { exits } from "./exits.ts";
import { guests } from "./guests.ts";
import { heap } from "./heap.ts";
import { machine } from "./machine.ts";
import { memory } from "./memory.ts";
import { type Result, run } from "./run.ts";
import { startup } from "./startup.ts";
import { structs } from "./structs.ts";
import { table } from "./table.ts";

const ROUNDS = 31;

const usage = `Usage: deno task bench [--filter NAME] [--rounds N] [--json]

Compiles bench/baseline.c with gcc and lets it, plain JavaScript and this library take turns.

  --filter NAME  only the benchmarks whose name contains NAME; a group's name is its first word:
                 ioctl, exit, guest, heap, machine, memory, struct, startup
  --rounds N     turns for each contender, more or fewer where a benchmark needs it; ${ROUNDS}
  --json         results as JSON, with quartiles
  --help         this text

A missed aim is no failure: the exit code is 1 only if something could not be measured.
`;

interface Options {
  readonly filter: string;
  readonly rounds: number;
  readonly json: boolean;
}

/** The command line; a number is the exit code of a process that has nothing more to do. */
function parse(args: readonly string[]): Options | number {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        filter: { type: "string", default: "" },
        rounds: { type: "string", default: String(ROUNDS) },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    const { filter, json, help } = values;
    if (help) {
      console.log(usage);
      return 0;
    }
    const rounds = Number(values.rounds);
    if (Number.isSafeInteger(rounds) && rounds > 0) return { filter, rounds, json };
    console.error(`--rounds is a whole number from 1, not ${values.rounds}\n\n${usage}`);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
  }
  return 1;
}

async function bench({ filter, rounds, json }: Options): Promise<number> {
  await using c = await Baseline.start();
  const all = [calls, exits, guests, heap, machine, memory, structs, startup].flatMap((group) =>
    group(c)
  );
  const chosen = all.filter(({ name }) => name.includes(filter));
  if (chosen.length === 0) {
    console.error(`No benchmark has "${filter}" in its name; there are:`);
    for (const { name } of all) console.error(`  ${name}`);
    return 1;
  }
  warnIfBusy();
  const results: Result[] = [];
  for (const [index, benchmark] of chosen.entries()) {
    console.error(`${index + 1}/${chosen.length} ${benchmark.name}`);
    results.push(await run(benchmark, rounds));
  }
  console.log(json ? JSON.stringify(results, null, 2) : `\n${table(results)}`);
  return 0;
}

/** Turns shorter than the scheduler's slice stand some company, not a crowd. */
function warnIfBusy(): void {
  const load = Deno.loadavg()[0]!;
  const { hardwareConcurrency: processors } = navigator;
  if (load <= processors / 2) return;
  const busy = `a load of ${load.toFixed(1)} on ${processors} processors`;
  console.error(`The machine is busy (${busy}): ratios close to their aim want a quiet one.`);
}

const options = parse(Deno.args);
try {
  Deno.exitCode = typeof options === "number" ? options : await bench(options);
} catch (error) {
  if (!(error instanceof CompileError)) throw error;
  console.error(error.message);
  Deno.exitCode = 1;
}
