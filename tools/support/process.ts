/**
 * The host's programs: which are there, which package has the others, and running them.
 *
 * @module
 */

import { Interrupted, signals, ToolError } from "./error.ts";

/** Programs that must be installed, and the Debian packages that have them. */
const packageOf: Readonly<Record<string, string>> = {
  "qemu-system-x86_64": "qemu-system-x86",
  mke2fs: "e2fsprogs",
  debugfs: "e2fsprogs",
  git: "git",
  ldd: "libc-bin",
  setpriv: "util-linux",
  taskset: "util-linux",
  "dpkg-deb": "dpkg",
  "apt-get": "apt",
  "apt-cache": "apt",
  xz: "xz-utils",
};

/** Debian keeps mke2fs where only root's PATH looks. */
function searchPath(): string {
  return `${Deno.env.get("PATH") ?? ""}:/usr/sbin:/sbin`;
}

/** Which of the programs are in none of the folders. */
export function missingPrograms(programs: readonly string[], path = searchPath()): string[] {
  return programs.filter((program) => pathOf(program, path) === undefined);
}

/**
 * Where a program is.
 *
 * @throws {ToolError} which names the missing package, if it is nowhere.
 */
export function findProgram(program: string): string {
  const path = pathOf(program, searchPath());
  if (path === undefined) throw new ToolError(missingMessage([program]));
  return path;
}

function pathOf(program: string, path: string): string | undefined {
  const paths = path.split(":").filter((folder) => folder !== "").map((f) => `${f}/${program}`);
  return paths.find((path) => {
    try {
      const { isFile, mode } = Deno.statSync(path);
      return isFile && ((mode ?? 0) & 0o111) !== 0;
    } catch {
      return false;
    }
  });
}

/** One line that says which packages are missing and how to get them. */
export function missingMessage(programs: readonly string[]): string {
  const packages = programs.map((program) => packageOf[program] ?? program).join(" ");
  return `These Debian packages are missing: ${packages}. As root: ` +
    `apt-get install --no-install-recommends ${packages}`;
}

/** @throws {ToolError} which names the missing packages, if there are any. */
export function requirePrograms(programs: readonly string[]): void {
  const missing = missingPrograms(programs);
  if (missing.length > 0) throw new ToolError(missingMessage(missing));
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a program to its end and returns what it printed.
 *
 * @throws {ToolError} with what it complained of, if it fails.
 * @throws {Interrupted} if a signal ended it.
 */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  options.signal?.throwIfAborted();
  const ended = await new Deno.Command(program, {
    args: [...args],
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    ...(options.signal && { signal: options.signal }),
    env: { PATH: searchPath(), ...options.env },
    stdin: "null",
  }).output();
  options.signal?.throwIfAborted();
  throwIfInterrupted(ended);
  if (ended.success) return ended.stdout;
  const complaint = new TextDecoder().decode(ended.stderr).trim();
  throw new ToolError(`${[program, ...args].join(" ")} failed:\n${complaint}`);
}

/**
 * Of Ctrl-C a program may have died before this process hears of it.
 *
 * @throws {Interrupted} if it died of a signal that ends a tool.
 */
export function throwIfInterrupted({ signal }: Deno.CommandStatus): void {
  if (signal !== null && Object.hasOwn(signals, signal)) {
    throw new Interrupted(signal as keyof typeof signals);
  }
}

/** Starts a program that is killed when this process dies, however it dies. */
export function start(
  program: string,
  args: readonly string[],
  options: Pick<Deno.CommandOptions, "stdin" | "stdout" | "env">,
): Deno.ChildProcess {
  return new Deno.Command("setpriv", {
    args: ["--pdeathsig", "KILL", program, ...args],
    ...options,
    env: { PATH: searchPath(), ...options.env },
    stderr: "inherit",
  }).spawn();
}
