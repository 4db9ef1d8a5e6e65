/**
 * The folder of what is made once: an entry has its inputs' hash in its name, so it is never out of
 * date, and it appears whole or not at all.
 *
 * @module
 */

import { isAbsolute, join } from "node:path";
import { isSystemError } from "./error.ts";

/** Entries that nobody has used for so long go when a new one comes. */
const KEEP_DAYS = 30;

const UNFINISHED = ".unfinished-";

/** A tool's folder: $XDG_CACHE_HOME/deno-kvm/TOOL, or ~/.cache/deno-kvm/TOOL. */
export function cacheFolder(
  tool: string,
  env: (name: string) => string | undefined = Deno.env.get,
): string {
  const chosen = env("XDG_CACHE_HOME") ?? "";
  // The XDG base directory specification has relative paths ignored.
  const home = isAbsolute(chosen) ? chosen : join(env("HOME") || "/root", ".cache");
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
  if (await use(path)) return path;
  await Deno.mkdir(folder, { recursive: true });
  // Deno.makeTempDir doesn't say where it couldn't make one.
  const unfinished = join(folder, `${UNFINISHED}${crypto.randomUUID()}`);
  await Deno.mkdir(unfinished);
  try {
    await prune(folder, unfinished);
    const made = join(unfinished, name);
    await build(made);
    try {
      await Deno.rename(made, path);
    } catch (error) {
      if (!await use(path)) throw error;
    }
    return path;
  } finally {
    await Deno.remove(unfinished, { recursive: true });
  }
}

/** Moves what is old to where it is removed: half an entry must not be taken for a whole one. */
async function prune(folder: string, unfinished: string): Promise<void> {
  const oldest = Date.now() - KEEP_DAYS * 24 * 60 * 60 * 1000;
  for await (const { name } of Deno.readDir(folder)) {
    const path = join(folder, name);
    try {
      const { mtime } = await Deno.lstat(path);
      if (mtime && mtime.getTime() < oldest) await Deno.rename(path, join(unfinished, `.${name}`));
    } catch (error) {
      // Another run has just removed it, or it is somebody else's.
      if (!isSystemError(error)) throw error;
    }
  }
}

/** Notes that an entry is used now; false if there is none. */
export async function use(path: string): Promise<boolean> {
  try {
    await Deno.utime(path, new Date(), new Date());
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
