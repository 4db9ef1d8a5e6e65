/**
 * The VM layer, a part to a file: memory, interrupts, vCPUs.
 *
 * @module
 */

export { type IrqchipState, type PitState2, VmInterrupts } from "./interrupts.ts";
export { type AddMemoryOptions, VmMemory } from "./memory.ts";
export { type CreateVmOptions, Vm } from "./vm.ts";
