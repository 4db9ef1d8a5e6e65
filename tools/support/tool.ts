/**
 * How a tool ends: what went wrong in a line, what it was doing cleaned up after a signal, and the
 * exit status.
 *
 * @module
 */

import { ToolError } from "./error.ts";

const SIGPIPE = 13;
const signals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** Why a run was aborted. */
class Interrupted extends Error {
  constructor(readonly number: number) {
    super("interrupted");
  }
}

/**
 * A tool's main function.
 *
 * @param name What a complaint begins with.
 * @param task Returns the exit status.
 */
export async function runTool(
  name: string,
  task: (signal: AbortSignal) => Promise<number>,
): Promise<never> {
  const abort = new AbortController();
  for (const [signal, number] of Object.entries(signals)) {
    Deno.addSignalListener(signal as keyof typeof signals, () => {
      abort.abort(new Interrupted(number));
    });
  }
  try {
    Deno.exit(await task(abort.signal));
  } catch (error) {
    if (error instanceof Interrupted) Deno.exit(128 + error.number);
    // Nobody reads on, as with head.
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(128 + SIGPIPE);
    if (!(error instanceof ToolError)) throw error;
    console.error(`${name}: ${error.message}`);
    Deno.exit(error.status);
  }
}
