/**
 * What KVM does itself that a processor would do, and no capability tells.
 *
 * @module
 */

import { Cap } from "../../ffi/uapi/mod.ts";
import { startLong } from "./machine.ts";

/** 16 times nop; hlt */
const nops = [...new Array<number>(16).fill(0x90), 0xf4];

let interpreted: boolean | undefined;

/**
 * Whether KVM interprets a guest at level 0, instruction by instruction, for want of a processor that
 * runs it. There, what concerns the processor's own exits has no effect.
 */
export function interpretsLevel0(): boolean {
  return interpreted ??= countEmulated() >= nops.length;
}

function countEmulated(): bigint {
  using machine = startLong(nops);
  if (machine.vm.check(Cap.BINARY_STATS_FD) === 0) return 0n;
  using stats = machine.vcpu.getStatsFd();
  const before = stats.readRaw("insn_emulation") ?? 0n;
  machine.vcpu.run();
  return (stats.readRaw("insn_emulation") ?? 0n) - before;
}
