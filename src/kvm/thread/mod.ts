/**
 * A vCPU's run on another thread than its owner's.
 *
 * The owner, which has created the vCPU and sets its registers, shares it; the other thread makes its
 * own descriptors and its own mapping of the run page from what it was sent. This is a door of its
 * own, and loads no more than a run takes, since it is loaded anew in each thread.
 *
 * @module
 */

export { kick } from "../../../ffi/mod.ts";
export type { Exit, IoExit, MmioExit } from "../exits/mod.ts";
export { VmLines } from "./lines.ts";
export { VcpuRunner } from "./runner.ts";
export type { VcpuShare } from "./share.ts";
