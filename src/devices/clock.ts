/**
 * The time that devices go by where the host gives them no clock.
 *
 * @module
 */

/**
 * Milliseconds since 1970 with their fractions, which never go back on one thread. Threads differ by
 * what the host's time was corrected between their starts.
 */
export function monotonicTime(): number {
  return performance.timeOrigin + performance.now();
}
