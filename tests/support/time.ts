/**
 * Time, for tests that hold on machines of any speed.
 *
 * @module
 */

/** Seconds until an attempt that never has time enough is given up. */
const PATIENCE = 20;

/** Keeps this thread busy for so many milliseconds. */
export function spin(milliseconds: number): void {
  spinUntil(() => false, milliseconds);
}

/** Keeps this thread busy until something is so, for so many milliseconds at most; whether it is. */
export function spinUntil(done: () => boolean, milliseconds: number): boolean {
  const end = performance.now() + milliseconds;
  while (!done() && performance.now() < end);
  return done();
}

/**
 * Calls with a time in milliseconds, with longer and longer ones until the call returns within it:
 * for what is to happen before a time is over, however slow the machine. The time that sufficed.
 */
export function withAmpleTime(attempt: (milliseconds: number) => void): number {
  for (let time = 5; time < PATIENCE * 1000; time *= 2) {
    const start = performance.now();
    attempt(time);
    if (performance.now() - start < time) return time;
  }
  throw new Error(`It took longer than ${PATIENCE} s`);
}

/** What a promise resolves with, or an error if that takes longer than any machine needs. */
export async function inTime<T>(promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`It took longer than ${PATIENCE} s`)),
    PATIENCE * 1000,
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
