/**
 * The vCPU layer, a part to a file: registers, state, run.
 *
 * @module
 */

export { VcpuCapabilities } from "./capabilities.ts";
export {
  type Dtable,
  type Fpu,
  type Regs,
  type Segment,
  type Sregs,
  VcpuRegisters,
} from "./registers.ts";
export type { RunAsyncOptions, RunOptions } from "./run_control.ts";
export { type GuestDebugOptions, VcpuDebug } from "./debug.ts";
export { VcpuEvents, type VcpuEventState } from "./events.ts";
export {
  type Debugregs,
  type LapicState,
  type Sregs2,
  VcpuExtended,
  type Xcrs,
  type Xsave,
} from "./extended.ts";
export { VcpuParavirt, type XenVcpuAttr } from "./paravirt.ts";
export { VcpuShared } from "./shared.ts";
export { VcpuState } from "./state.ts";
export { SyncedRegisters } from "./sync_regs.ts";
export { VcpuTime } from "./time.ts";
export { Vcpu } from "./vcpu.ts";
