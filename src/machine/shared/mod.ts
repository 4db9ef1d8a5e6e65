/**
 * What the threads of a machine share.
 *
 * @module
 */

export { Lock } from "./lock.ts";
export { Bell, Command, Ending, SharedState, Status } from "./memory.ts";
export { ByteRing } from "./ring.ts";
