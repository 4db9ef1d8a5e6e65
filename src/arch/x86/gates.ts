/**
 * The gates of a long-mode IDT (SDM volume 3, "64-Bit Mode IDT").
 *
 * @module
 */

import { checkInteger, checkObject, checkU64 } from "../../../ffi/mod.ts";
import { SystemType } from "./descriptors.ts";

/** Bytes of a gate in long mode. */
export const GATE_BYTES = 16;

/** An interrupt or trap gate. */
export interface Gate {
  /** Where the handler begins. */
  readonly offset: bigint;
  /** The handler's code segment. */
  readonly selector: number;
  /** Which stack of the TSS to switch to, 1 to 7; 0 stays, or takes RSP0 from level 3. */
  readonly ist: number;
  /** `SystemType.INTERRUPT_GATE` or `TRAP_GATE`. */
  readonly type: number;
  /** The least privileged level whose INT n may use it. */
  readonly dpl: number;
  /** 1 if present. */
  readonly present: number;
}

/** An interrupt gate that level 0 alone can reach by INT n. */
export function interruptGate(offset: number, selector: number, ist = 0, dpl = 0): Gate {
  checkInteger("make a gate", "The offset", offset, 0, Number.MAX_SAFE_INTEGER);
  return {
    offset: BigInt(offset),
    selector,
    ist,
    type: SystemType.INTERRUPT_GATE,
    dpl,
    present: 1,
  };
}

/** The 16 bytes of a gate, low half first. */
export function encodeGate(gate: Gate): [low: bigint, high: bigint] {
  const operation = "encode a gate";
  checkObject(operation, "A gate", gate);
  const { offset, selector, ist, type, dpl, present } = gate;
  checkU64(operation, "offset", offset);
  checkInteger(operation, "selector", selector, 0, 0xffff);
  for (const [name, value] of Object.entries({ ist, type, dpl, present })) {
    checkInteger(operation, name, value, 0, 15);
  }
  const access = BigInt(type | (dpl << 5) | (present << 7));
  const low = (offset & 0xffffn) | (BigInt(selector) << 16n) | (BigInt(ist) << 32n) |
    (access << 40n) | (((offset >> 16n) & 0xffffn) << 48n);
  return [low, BigInt.asUintN(32, offset >> 32n)];
}

/** The gate of 16 bytes. */
export function decodeGate(low: bigint, high: bigint): Gate {
  checkU64("decode a gate", "The low half", low);
  checkU64("decode a gate", "The high half", high);
  const bits = (from: bigint, count: number) => Number(BigInt.asUintN(count, low >> from));
  const offset = BigInt.asUintN(16, low) | (BigInt.asUintN(16, low >> 48n) << 16n) |
    (BigInt.asUintN(32, high) << 32n);
  return {
    offset,
    selector: bits(16n, 16),
    ist: bits(32n, 3),
    type: bits(40n, 4),
    dpl: bits(45n, 2),
    present: bits(47n, 1),
  };
}
