/**
 * What a run needs for itself alone.
 *
 * @module
 */

import { join } from "node:path";

/** Where temporary folders are. */
export function temporaryFolder(): string {
  return Deno.env.get("TMPDIR") || "/tmp";
}

/** Runs a task with a new folder, and removes it afterwards. */
export async function inTemporaryFolder<T>(
  prefix: string,
  task: (folder: string) => Promise<T>,
): Promise<T> {
  // Deno.makeTempDir doesn't say where it couldn't make one.
  const folder = join(temporaryFolder(), `${prefix}${crypto.randomUUID()}`);
  await Deno.mkdir(folder, { mode: 0o700 });
  try {
    return await task(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
