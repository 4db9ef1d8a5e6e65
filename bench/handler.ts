/**
 * What every loop here does with an exit: tell its kind, read all that counts, answer reads. The C
 * program's handler does the same.
 *
 * @module
 */

import type { Exit } from "../src/kvm/mod.ts";

/**
 * Handles an exit. The result is there to be used, and of 31 bits: JavaScript keeps a larger number
 * on the heap wherever a call returns it, which would be this function's doing.
 */
export function handle(exit: Exit): number {
  switch (exit.reason) {
    case "io":
      if (exit.direction === "out") return bits(exit.port + exit.size + exit.count + exit.data[0]!);
      exit.value = exit.port;
      return bits(exit.port + exit.size + exit.count);
    case "mmio":
      if (exit.isWrite) return bits(exit.physAddr + exit.len + exit.value);
      exit.value = exit.physAddr;
      return bits(exit.physAddr + exit.len);
    default:
      throw new Error(`an exit that no guest here makes: ${exit.reason}`);
  }
}

const bits = (value: number) => value & 0x3fff_ffff;
