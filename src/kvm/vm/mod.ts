/**
 * The VM layer, a part to a file: memory, interrupts, vCPUs.
 *
 * @module
 */

export {
  decodeRedirection,
  DeliveryMode,
  encodeRedirection,
  type MsiFields,
  type MsiMessage,
  msiMessage,
  type Redirection,
} from "./apic_messages.ts";
export {
  type CoalescedZone,
  type IoeventfdOptions,
  type IrqfdOptions,
  VmEventFds,
} from "./event_fds.ts";
export {
  type IrqchipState,
  type IrqLineStatus,
  type MsiStatus,
  type PitState2,
  VmInterrupts,
} from "./interrupts.ts";
export {
  defaultGsiRoutes,
  type GsiRoute,
  type HvSintRoute,
  type IrqchipRoute,
  type MsiRoute,
  type XenEvtchnRoute,
} from "./routes.ts";
export { VmCapabilities } from "./capabilities.ts";
export { type DisabledExits, VmExitControl } from "./exit_control.ts";
export { type ClearDirtyLogOptions, VmDirty } from "./dirty.ts";
export { VmPrivateMemory } from "./private_memory.ts";
export { type ClockData, VmTime } from "./time.ts";
export { VmPolicy } from "./policy.ts";
export { VmParavirt, type XenHvmAttr, type XenHvmConfigOptions } from "./paravirt.ts";
export { type AddMemoryOptions, VmMemory } from "./memory.ts";
export { type CreateVmOptions, Vm } from "./vm.ts";
