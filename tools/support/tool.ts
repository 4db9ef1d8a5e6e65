/**
 * How a tool ends: what went wrong in a line, what it was doing cleaned up after a signal, and the
 * exit status.
 *
 * @module
 */

import { cacheFolder } from "./cache.ts";
import { Interrupted, isSystemError, signals, ToolError } from "./error.ts";
import { temporaryFolder } from "./temporary.ts";

const SIGPIPE = 13;

/**
 * A tool's main function.
 *
 * @param name What a complaint begins with, and its cache's.
 * @param task Returns the exit status.
 */
export async function runTool(
  name: string,
  task: (signal: AbortSignal) => Promise<number>,
): Promise<never> {
  const abort = new AbortController();
  for (const signal of Object.keys(signals) as (keyof typeof signals)[]) {
    Deno.addSignalListener(signal, () => abort.abort(new Interrupted(signal)));
  }
  try {
    Deno.exit(await task(abort.signal));
  } catch (error) {
    if (error instanceof Interrupted) Deno.exit(error.status);
    // Nobody reads on, as with head.
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(128 + SIGPIPE);
    const told = isSystemError(error) ? refusal(name, error) : error;
    if (!(told instanceof ToolError)) throw error;
    console.error(`${name}: ${told.message}`);
    Deno.exit(told.status);
  }
}

/** Says what to do about what the system refused: its message names the path. */
function refusal(name: string, { message }: Error): ToolError {
  const names = (folder: string) => [`'${folder}`, `"${folder}`].some((it) => message.includes(it));
  const variable = names(cacheFolder(name))
    ? "XDG_CACHE_HOME"
    : names(temporaryFolder())
    ? "TMPDIR"
    : undefined;
  const advice = variable === undefined
    ? "see whether it is there, whether you may use it, and whether its disk has room"
    : `have ${variable} name a folder that you may write to and that has room`;
  return new ToolError(`${message.replace(/, run again .*/, "")}: ${advice}`);
}
