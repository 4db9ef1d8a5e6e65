/**
 * The folder of what is made once: an entry has its inputs' hash in its name, so it is never out of
 * date, and it appears whole or not at all.
 *
 * @module
 */

import { join } from "node:path";

/** Entries that nobody has used for so long go when a new one comes. */
const KEEP_DAYS = 30;

const UNFINISHED = ".unfinished-";

/** A tool's folder: $XDG_CACHE_HOME/deno-kvm/TOOL, or ~/.cache/deno-kvm/TOOL. */
export function cacheFolder(
  tool: string,
  env: (name: string) => string | undefined = Deno.env.get,
): string {
  const home = env("XDG_CACHE_HOME") || join(env("HOME") || "/root", ".cache");
  return join(home, "deno-kvm", tool);
}

/** A short hash of anything that JSON can write. */
export async function hash(inputs: unknown): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(inputs));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return digest.slice(0, 8).toHex();
}

/**
 * The path of an entry. If it is not there, `build` makes it at the path it is given, and it is then
 * renamed; of two that build the same at once, one is kept.
 */
export async function cached(
  folder: string,
  name: string,
  build: (path: string) => Promise<void>,
): Promise<string> {
  const path = join(folder, name);
  if (await exists(path)) {
    await Deno.utime(path, new Date(), new Date());
    return path;
  }
  await Deno.mkdir(folder, { recursive: true });
  await prune(folder);
  const unfinished = await Deno.makeTempDir({ dir: folder, prefix: UNFINISHED });
  try {
    const made = join(unfinished, name);
    await build(made);
    try {
      await Deno.rename(made, path);
    } catch (error) {
      if (!await exists(path)) throw error;
    }
    return path;
  } finally {
    await Deno.remove(unfinished, { recursive: true });
  }
}

async function prune(folder: string): Promise<void> {
  const oldest = Date.now() - KEEP_DAYS * 24 * 60 * 60 * 1000;
  for await (const { name } of Deno.readDir(folder)) {
    const path = join(folder, name);
    const { mtime } = await Deno.stat(path);
    if (mtime && mtime.getTime() < oldest) await Deno.remove(path, { recursive: true });
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
