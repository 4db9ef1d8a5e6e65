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
