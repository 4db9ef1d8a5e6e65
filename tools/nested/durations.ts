/**
 * How long each file's tests took the last time, so that the machines have the same to do.
 *
 * @module
 */

import { join } from "node:path";

/** Seconds, by the file's path. */
export type Durations = Readonly<Record<string, number>>;

const FILE = "durations.json";

/** What is known; nothing before the first whole run. */
export async function knownDurations(folder: string): Promise<Durations> {
  try {
    return JSON.parse(await Deno.readTextFile(join(folder, FILE)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
}

/** Keeps what a report says, in place of what was known. */
export async function keepDurations(folder: string, report: string): Promise<void> {
  const temporary = join(folder, `${FILE}${crypto.randomUUID()}`);
  await Deno.writeTextFile(temporary, JSON.stringify(durations(report)));
  await Deno.rename(temporary, join(folder, FILE));
}

/** What a report of `deno test --junit-path` says. */
export function durations(report: string): Durations {
  const seconds: Record<string, number> = {};
  for (const [, path, time] of report.matchAll(/classname="\.\/([^"]*)" time="([\d.]+)"/g)) {
    seconds[path!] = (seconds[path!] ?? 0) + Number(time);
  }
  return seconds;
}
