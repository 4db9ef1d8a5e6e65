/**
 * What comes later.
 *
 * @module
 */

/**
 * Whether to await a value may have an effect: it is a promise, or an object that may be like one.
 * It is not looked into, which only `await` is to do: whatever comes of that is its error.
 */
export function isAwaitable(value: unknown): value is object {
  return typeof value === "object" ? value !== null : typeof value === "function";
}
