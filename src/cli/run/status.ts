/**
 * How `kvm run` ends when the guest does not say.
 *
 * @module
 */

/** Those of timeout(1) and of others that hand on what something else ended with. */
export const RunStatus = {
  /** The time is over. */
  TIMEOUT: 124,
  /** There was no machine, or it could not go on; wrong arguments, too. */
  FAILED: 125,
  /** The guest could not go on. */
  CRASH: 126,
} as const;
