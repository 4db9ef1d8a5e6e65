import { ToolError } from "../support/error.ts";

/** The nested machine itself failed, as opposed to the command that it was to run. */
export class NestedError extends ToolError {
  override name = "NestedError";
}
