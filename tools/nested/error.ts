/** The nested machine itself failed, as opposed to the command that it was to run. */
export class NestedError extends Error {
  override name = "NestedError";
}
