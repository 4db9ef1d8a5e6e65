/**
 * What main and a vCPU's thread send each other.
 *
 * @module
 */

import type { VcpuShare } from "../../kvm/thread/mod.ts";
import type { BoardOptions } from "../board.ts";

/** What a vCPU's thread is to do. */
export interface VcpuJob {
  /** Which of the machine's vCPUs it runs. */
  readonly id: number;
  /** How many there are. */
  readonly cpus: number;
  /** What all threads share. */
  readonly buffer: SharedArrayBuffer;
  /** The vCPU, as its owner shares it. */
  readonly share: VcpuShare;
  /** The devices on the board. */
  readonly board: BoardOptions;
}

/** What the thread has to say that is no matter of state: that it failed. */
export interface VcpuFailure {
  /** What was wrong. */
  readonly message: string;
  /** Where. */
  readonly stack: string | undefined;
}
