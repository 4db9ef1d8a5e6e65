/**
 * What goes wrong with a tool by no mistake of its own.
 *
 * @module
 */

/** A tool can't go on: the message is for whoever has started it. */
export class ToolError extends Error {
  override name = "ToolError";
  /** The exit status that it means. */
  readonly status: number = 125;
}

/** Says what to do about a wrong command line. */
export class UsageError extends ToolError {
  override name = "UsageError";
}

/** The signals that end a tool, with their numbers. */
export const signals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** A signal ends the tool: nothing has failed. */
export class Interrupted extends Error {
  override name = "Interrupted";
  /** The exit status that it means. */
  readonly status: number;

  constructor(signal: keyof typeof signals) {
    super(signal);
    this.status = 128 + signals[signal];
  }
}

/** Whether it is the system that refused something, as opposed to a mistake of the tool's. */
export function isSystemError(error: unknown): error is Error {
  // Deno itself keeps /proc and /dev from a program that hasn't all permissions.
  if (error instanceof Deno.errors.NotCapable) return error.message.startsWith("Requires all ");
  return error instanceof Error && "code" in error && /^E[A-Z\d]+$/.test(`${error.code}`);
}
