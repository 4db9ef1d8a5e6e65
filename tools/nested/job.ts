/**
 * The second disk, made for one run: the work tree as it is now, npm's packages, and what to do.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { cached, hash } from "../support/cache.ts";
import { ToolError } from "../support/error.ts";
import { run } from "../support/process.ts";
import { makeImage } from "./ext4.ts";
import { quote } from "./options.ts";

/** What `deno task bundle` makes. */
const BUNDLE = "dist/kvm.js";

/** Room for what Deno caches inside. */
const FREE = 64 << 20;

export interface Job {
  /** The work tree's root, which has the same path inside. */
  readonly tree: string;
  /** A Deno cache that has the packages, see {@linkcode npmPackages}. */
  readonly npm: string;
  /** What the shell inside is to run; undefined for a shell on the terminal. */
  readonly command: string | undefined;
}

/** Makes the disk's image in a folder of the run's own, and returns its path. */
export async function jobImage(job: Job, folder: string, signal?: AbortSignal): Promise<string> {
  const disk = join(folder, "job");
  await Deno.mkdir(disk);
  const files = await treeFiles(job.tree, signal);
  for (const path of files) await copy(join(job.tree, path), join(disk, "tree", path));
  await run("cp", ["-R", job.npm, join(disk, "deno")], { signal });
  await transpile(job.tree, files, join(disk, "deno"), signal);
  await Deno.writeTextFile(join(disk, "path"), job.tree);
  await Deno.writeTextFile(join(disk, "run"), script(job.command));
  if (job.command === undefined) await Deno.writeTextFile(join(disk, "interactive"), "");
  const image = join(folder, "job.img");
  await makeImage(disk, image, { free: FREE, signal });
  return image;
}

/** Has Deno make JavaScript of the work tree's modules, which takes it several seconds inside. */
async function transpile(
  tree: string,
  files: readonly string[],
  cache: string,
  signal?: AbortSignal,
): Promise<void> {
  const modules = files.filter((path) => path.endsWith(".ts"));
  if (modules.length === 0) return;
  const args = ["cache", "--quiet", "--no-lock", "--no-check", ...modules];
  try {
    await run(Deno.execPath(), args, { cwd: tree, env: { DENO_DIR: cache }, signal });
  } catch (error) {
    // A module that is wrong, or was deleted: whoever uses it inside will tell.
    if (!(error instanceof ToolError)) throw error;
  }
}

/** What init.sh has a shell do: set the environment, and become the command. */
function script(command: string | undefined): string {
  const plain = Deno.env.has("NO_COLOR") || !Deno.stdout.isTerminal();
  const environment: Record<string, string | undefined> = {
    DENO_DIR: "/job/deno",
    DENO_NO_UPDATE_CHECK: "1",
    NPM_CONFIG_REGISTRY: registry(),
    [plain ? "NO_COLOR" : "FORCE_COLOR"]: "1",
  };
  const lines = Object.entries(environment).flatMap(([name, value]) =>
    value === undefined ? [] : [`export ${name}=${quote(value)}`]
  );
  if (command === undefined) {
    const { columns, rows } = Deno.consoleSize();
    // Some terminals have no size.
    if (rows > 0 && columns > 0) lines.push(`stty rows ${rows} columns ${columns}`);
    lines.push("export PS1='nested:\\w# '");
  }
  return [...lines, `exec ${command ?? "sh"}`, ""].join("\n");
}

/**
 * The npm packages that a deno.lock names, in a Deno cache of their own: there is no network inside,
 * and the user's own cache may be of any size.
 */
export async function npmPackages(
  folder: string,
  tree: string,
  signal?: AbortSignal,
): Promise<string> {
  const names = lockedPackages(await Deno.readTextFile(join(tree, "deno.lock")));
  const key = await hash([names, Deno.version.deno, registry()]);
  return await cached(folder, `npm-${key}`, async (path) => {
    await Deno.mkdir(path);
    if (names.length === 0) return;
    const args = ["cache", "--quiet", "--no-lock", ...names];
    await run(Deno.execPath(), args, { cwd: tree, env: { DENO_DIR: path }, signal });
  });
}

/** `npm:name@version` of every package in the text of a deno.lock. */
export function lockedPackages(lock: string): string[] {
  const { npm = {} }: { npm?: Record<string, unknown> } = JSON.parse(lock);
  // A package with peers has them after an underscore, and npm does not know them there.
  return Object.keys(npm).map((name) => `npm:${name.replace(/(.@[^_]*)_.*/, "$1")}`);
}

/** The registry, if it isn't npm's own; Deno's cache has its name in it. */
export function registry(): string | undefined {
  const variable = Deno.env.get("NPM_CONFIG_REGISTRY");
  if (variable) return variable;
  try {
    const settings = Deno.readTextFileSync(join(Deno.env.get("HOME") ?? "/root", ".npmrc"));
    return /^registry\s*=\s*(\S+)/m.exec(settings)?.[1];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** What is tracked, and what is new and not ignored: what is edited is what runs. */
export async function treeFiles(tree: string, signal?: AbortSignal): Promise<string[]> {
  // A checkout that somebody else made is fine: its tests are about to run anyway.
  const trust = ["-c", `safe.directory=${tree}`];
  const args = [...trust, "ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const listed = await run("git", args, { cwd: tree, signal });
  const files = new TextDecoder().decode(listed).split("\0").filter((path) => path !== "");
  // Git ignores it, and bench/boot.ts measures it inside.
  const bundle = await Deno.stat(join(tree, BUNDLE)).then(() => [BUNDLE], () => []);
  return [...files, ...bundle];
}

async function copy(from: string, to: string): Promise<void> {
  try {
    const { isFile, isSymlink } = await Deno.lstat(from);
    await Deno.mkdir(dirname(to), { recursive: true });
    if (isSymlink) await Deno.symlink(await Deno.readLink(from), to);
    else if (isFile) await Deno.copyFile(from, to);
  } catch (error) {
    // Tracked, and deleted without git's knowledge; or deleted just now.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
