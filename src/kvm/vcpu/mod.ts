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
export { VcpuState } from "./state.ts";
export { Vcpu } from "./vcpu.ts";
