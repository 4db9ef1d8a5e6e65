import { assert, assertEquals } from "@std/assert";
import { root } from "../support/subprocess.ts";

/**
 * What each folder's modules may import, itself apart; the longest matching folder counts. A new
 * folder needs its line here, and in the picture of the architecture.
 */
const below: Readonly<Record<string, readonly string[]>> = {
  // The error class and its numbers stand on nothing, and everything on them.
  "ffi/struct/": ["ffi/errno.ts", "ffi/errors.ts"],
  "ffi/uapi/": [],
  "ffi/": ["ffi/struct/"],
  "guests/": [],
  "src/memory/": ["ffi/"],
  "src/arch/": ["ffi/"],
  "src/kvm/": ["ffi/", "src/memory/", "src/arch/"],
  "src/boot/": ["ffi/", "src/memory/", "src/arch/", "src/kvm/"],
  "src/devices/": ["ffi/"],
  "src/firmware/": ["ffi/", "src/memory/", "src/arch/"],
  "src/loader/": ["ffi/", "src/memory/", "src/arch/", "src/boot/", "src/firmware/"],
  "src/machine/": [
    "ffi/",
    "src/memory/",
    "src/arch/",
    "src/kvm/",
    "src/boot/",
    "src/devices/",
    "src/firmware/",
    "src/loader/",
  ],
  "src/assemble/": ["ffi/"],
  "src/testing/": [
    "ffi/",
    "guests/",
    "src/memory/",
    "src/arch/",
    "src/kvm/",
    "src/boot/",
    "src/assemble/",
  ],
  "src/cli/": ["ffi/", "guests/", "src/", "deno.json"],
  "mod.ts": ["ffi/", "guests/", "src/"],
};

/** Every module of the library by its path from the root. */
function* modules(folder = ""): Generator<[path: string, text: string]> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, root))) {
    const path = `${folder}${name}`;
    const library = folder !== "" || ["ffi", "src", "guests"].includes(name);
    if (isDirectory && library) yield* modules(`${path}/`);
    else if (path.endsWith(".ts") && (folder !== "" || path === "mod.ts")) {
      yield [path, Deno.readTextFileSync(new URL(path, root))];
    }
  }
}

/** The code of a module without its comments, where examples import the library by name. */
function codeOf(text: string): string {
  return text.replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, "");
}

/** The specifiers that a module imports, statically or not. */
function importsOf(text: string): string[] {
  const pattern =
    /^(?:import|export)\b[^;"']*?\bfrom\s+(["'])(.+?)\1|^import\s+(["'])(.+?)\3|\bimport\s*\(\s*(["'`])(.+?)\5/gm;
  return [...codeOf(text).matchAll(pattern)].map((match) => match[2] ?? match[4] ?? match[6]!);
}

function folderOf(path: string): string {
  const folders = Object.keys(below).filter((folder) => path.startsWith(folder));
  const folder = folders.toSorted((a, b) => b.length - a.length)[0];
  assert(folder !== undefined, `${path} is in a folder that this test does not know`);
  return folder;
}

Deno.test("no module outside ffi/ loads libraries or handles pointers", () => {
  for (const [path, text] of modules()) {
    // A thread's bundle has ffi/ in it.
    if (path.startsWith("ffi/") || path.endsWith("/bundle_bytes.ts")) continue;
    const found = codeOf(text).match(/dlopen|\bUnsafe\w+|\baddressOf\b/);
    assertEquals(found?.[0], undefined, path);
  }
});

Deno.test("imports point downward only", () => {
  let count = 0;
  for (const [path, text] of modules()) {
    const folder = folderOf(path);
    for (const specifier of importsOf(text)) {
      // The command is no part of the library, and may use what the runtime brings along.
      if (folder === "src/cli/" && specifier.startsWith("node:")) continue;
      assert(specifier.startsWith("."), `${path} imports ${specifier}, which is no part of it`);
      const target = new URL(specifier, new URL(path, root)).href.slice(root.href.length);
      const allowed = [folder, ...below[folder]!].some((place) => target.startsWith(place)) &&
        !(path.startsWith("ffi/") && target.startsWith("ffi/uapi/") && folder !== "ffi/uapi/");
      assert(allowed, `${path} imports ${target}`);
      count++;
    }
  }
  assert(count > 100, `only ${count} imports found`);
});

Deno.test("other folders are entered by their door alone", () => {
  for (const [path, text] of modules()) {
    for (const specifier of importsOf(text).filter((name) => name.startsWith("."))) {
      const target = new URL(specifier, new URL(path, root)).href.slice(root.href.length);
      const home = target.slice(0, target.lastIndexOf("/") + 1);
      if (path.startsWith(home)) continue;
      const folder = path.slice(0, path.lastIndexOf("/") + 1);
      // A folder's inner folders are its own to enter.
      if (home.startsWith(folder) && folder !== "" && !folder.startsWith("ffi/uapi/")) continue;
      if (folder.startsWith("ffi/uapi/")) continue;
      assert(target.endsWith("/mod.ts"), `${path} imports ${target}`);
    }
  }
});

Deno.test("no module can be read in more than one sitting, tables apart", () => {
  for (const [path, text] of modules()) {
    const table = path.startsWith("ffi/uapi/") || /bytes\.ts$/.test(path);
    const lines = text.split("\n").length;
    assert(table || lines <= 400, `${path} has ${lines} lines`);
  }
});
