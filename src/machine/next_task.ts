/**
 * The event loop's turn.
 *
 * @module
 */

const pulse = new Int32Array(new SharedArrayBuffer(4));

/**
 * Resolves in a task of its own: timers, signals and files that are due come before, for which promises
 * alone would never make way. A timer of no time would take 2 ms.
 */
export async function nextTask(): Promise<void> {
  const { value } = Atomics.waitAsync(pulse, 0, 0);
  Atomics.notify(pulse, 0);
  await value;
}
