/**
 * Kernel modules and what they depend on, as each says itself.
 *
 * @module
 */

import { basename } from "node:path";
import { requirePrograms, run } from "../support/process.ts";
import { NestedError } from "./error.ts";

/** A module as insmod takes it. */
export interface KernelModule {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The modules named and all that they need, in the order of loading. */
export async function findModules(
  files: readonly string[],
  names: readonly string[],
  signal?: AbortSignal,
): Promise<KernelModule[]> {
  const paths = new Map(
    files.filter((file) => /\.ko(\.xz)?$/.test(file))
      .map((file) => [canonical(basename(file).replace(/\.ko(\.xz)?$/, "")), file]),
  );
  const loaded = new Map<string, KernelModule>();
  const load = async (name: string) => {
    if (loaded.has(name)) return;
    const path = paths.get(name);
    if (path === undefined) throw new NestedError(`The kernel package has no module ${name}`);
    const bytes = await read(path, signal);
    for (const other of dependencies(bytes)) await load(canonical(other));
    loaded.set(name, { name, bytes });
  };
  for (const name of names) await load(canonical(name));
  return [...loaded.values()];
}

/**
 * What a module names in the `depends=` of its .modinfo section. The lists that modprobe uses are
 * made when a kernel is installed, and this one is not.
 */
export function dependencies(module: Uint8Array): string[] {
  const list = /\0depends=([\w,-]*)\0/.exec(new TextDecoder("latin1").decode(module))?.[1];
  return list ? list.split(",") : [];
}

/** File names have dashes where the kernel has underscores, or not. */
function canonical(name: string): string {
  return name.replaceAll("-", "_");
}

async function read(path: string, signal?: AbortSignal): Promise<Uint8Array> {
  if (!path.endsWith(".xz")) return await Deno.readFile(path);
  requirePrograms(["xz"]);
  return await run("xz", ["-dc", path], { signal });
}
