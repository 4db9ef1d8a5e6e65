/**
 * Which tests have anything to do with KVM: the others say here nothing that they don't say outside.
 *
 * @module
 */

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { run } from "../support/process.ts";
import { inTemporaryFolder } from "../support/temporary.ts";

/** What opens /dev/kvm. */
const KVM = "src/kvm/kvm.ts";
/** What starts programs that may. */
const PROGRAMS = "tests/support/subprocess.ts";
/** Tests of the floor, which knows nothing of KVM, nor do the programs that they start. */
const FLOOR = "tests/ffi/";

/** A graph of modules as `deno info --json` prints it. */
export interface ModuleGraph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      readonly code?: { readonly specifier?: string };
    }[];
  }[];
}

/** Whether a file of the tree leads to KVM, by what it imports. */
export async function findKvmUsers(
  tree: string,
  files: readonly string[],
  signal?: AbortSignal,
): Promise<(path: string) => boolean> {
  const url = (path: string) => urlOf(tree, path);
  return await inTemporaryFolder("deno-kvm-nested-", async (folder) => {
    const all = join(folder, "all.js");
    await Deno.writeTextFile(all, importsOf(tree, files));
    const args = ["info", "--json", "--no-lock", "--config", join(tree, "deno.json"), all];
    const text = new TextDecoder().decode(await run(Deno.execPath(), args, { cwd: tree, signal }));
    const graph: ModuleGraph = JSON.parse(text);
    const [users, starters] = [KVM, PROGRAMS].map((path) => reaching(graph, [url(path)]));
    return (path) => users!.has(url(path)) || !path.startsWith(FLOOR) && starters!.has(url(path));
  });
}

/** The text of a module that imports all of these files of the tree. */
export function importsOf(tree: string, files: readonly string[]): string {
  return files.map((path) => `import ${JSON.stringify(urlOf(tree, path))};\n`).join("");
}

function urlOf(tree: string, path: string): string {
  return pathToFileURL(join(tree, path)).href;
}

/** The modules from which an import leads to one of the targets, and those themselves. */
export function reaching({ modules }: ModuleGraph, targets: readonly string[]): Set<string> {
  const importers = new Map<string, string[]>();
  for (const { specifier, dependencies = [] } of modules) {
    for (const { code } of dependencies) {
      if (code?.specifier === undefined) continue;
      const known = importers.get(code.specifier);
      if (known === undefined) importers.set(code.specifier, [specifier]);
      else known.push(specifier);
    }
  }
  const found = new Set(targets);
  // A set's iteration comes to what is added meanwhile.
  for (const specifier of found) {
    for (const importer of importers.get(specifier) ?? []) found.add(importer);
  }
  return found;
}
