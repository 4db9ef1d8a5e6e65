/**
 * Scripts in a process of their own: for what ends, crashes or changes the process, and for what
 * depends on its permissions.
 *
 * @module
 */

/** The repository's root, as a URL that ends in a slash. */
export const root: URL = new URL("../../", import.meta.url);

/** A module of this repository, as a quoted specifier for a script's import. */
export function specifier(path: string): string {
  return JSON.stringify(new URL(path, root).href);
}

/** How to run a script. */
export interface ScriptOptions {
  /** Arguments of `deno run`; `--allow-ffi` alone by default. */
  readonly args?: readonly string[];
  /** The user to run it as, when this process may. */
  readonly uid?: number;
}

/** How a script ended. */
export interface ScriptResult {
  /** The exit code; above 128 for a signal. */
  readonly code: number;
  /** The signal that ended it. */
  readonly signal: Deno.Signal | null;
  /** What it wrote. */
  readonly stdout: string;
  /** What it complained of. */
  readonly stderr: string;
}

/** The command for a script given as text, a module without a file. */
export function script(text: string, options: ScriptOptions = {}): Deno.Command {
  const { args = ["--allow-ffi"], uid } = options;
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-check",
      "--no-lock",
      ...args,
      `data:application/typescript,${encodeURIComponent(text)}`,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
}

/** Runs a script to its end. */
export async function runScript(text: string, options?: ScriptOptions): Promise<ScriptResult> {
  const { code, signal, stdout, stderr } = await script(text, options).output();
  const decoder = new TextDecoder();
  return { code, signal, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs a script that must end well; what it wrote. */
export async function outputOf(text: string, options?: ScriptOptions): Promise<string> {
  const { code, signal, stdout, stderr } = await runScript(text, options);
  if (code !== 0) throw new Error(`The script ended with ${signal ?? code}:\n${stdout}${stderr}`);
  return stdout;
}
