/**
 * What tests of the tools have in common.
 *
 * @module
 */

import { missingPrograms } from "../../tools/support/process.ts";
import { needing, type Needs } from "../support/host.ts";

/** Makes a test's name and condition: all of these programs. */
export function needs(...programs: string[]): (name: string) => Needs {
  const present = missingPrograms(programs).length === 0;
  return (name: string) => needing(programs.join(", "), present, name);
}

/** Runs a test in a folder of its own, which is gone afterwards. */
export async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What is in a folder. */
export function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}
