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

/**
 * Text for a script of root's, behind its imports: from there on its thread is the user "nobody". A
 * process that begins as nobody may find neither the runtime nor the modules readable.
 */
export const becomeNobody: string = `
  const { shim } = await import(${specifier("ffi/shim.ts")});
  const SYS_SETUID = 105;
  if (shim().syscall6(SYS_SETUID, 65534n, 0n, 0n, 0n, 0n, 0n) !== 0n) throw new Error("setuid");
`;

/** How to run a script. */
export interface ScriptOptions {
  /** Arguments of `deno run`; `--allow-ffi` alone by default. */
  readonly args?: readonly string[];
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
  const { args = ["--allow-ffi"] } = options;
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
