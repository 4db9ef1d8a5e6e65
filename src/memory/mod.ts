/**
 * Guest memory: slots of host memory at guest-physical addresses.
 *
 * @module
 */

export { MemoryAccess, type Place, type TypedArrayConstructor } from "./access.ts";
export { GuestMemory, memoryOwner } from "./memory.ts";
export { formatRange, type Range } from "./outside.ts";
export { MemorySlot, slotOwner } from "./slot.ts";
