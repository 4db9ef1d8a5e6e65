/**
 * What runs at the same time, and in turns where it must.
 *
 * @module
 */

/** How to hold a lock. */
export interface LockOptions {
  /** Whether nobody else may hold it, rather than only nobody who must be alone. */
  readonly alone: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Waits for the lock that a file is, holds it during the task, and returns what the task does. */
export async function locked<T>(
  path: string,
  { alone, signal }: LockOptions,
  task: () => Promise<T>,
): Promise<T> {
  const file = await Deno.open(path, { create: true, write: true });
  const ours = file.lock(alone);
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  try {
    signal?.throwIfAborted();
    await Promise.race([ours, aborted.promise]);
  } catch (error) {
    // Nothing ends the kernel's wait: what comes of it is given back.
    const close = () => file.close();
    ours.then(close, close);
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
  try {
    return await task();
  } finally {
    file.close();
  }
}
