/**
 * The debug registers: breakpoints and what hit them (SDM volume 3, "Debug Registers").
 *
 * @module
 */

import {
  checkList,
  checkNames,
  checkObject,
  checkU64,
  Errno,
  isName,
  KvmError,
  show,
} from "../../../ffi/mod.ts";

/** DR6: what raised the #DB. */
export const DR6 = {
  /** The breakpoint of DR0. */
  B0: 1n << 0n,
  /** The breakpoint of DR1. */
  B1: 1n << 1n,
  /** The breakpoint of DR2. */
  B2: 1n << 2n,
  /** The breakpoint of DR3. */
  B3: 1n << 3n,
  /** Clear: a bus lock was detected. */
  BLD: 1n << 11n,
  /** An access to a debug register, with {@linkcode DR7.GD}. */
  BD: 1n << 13n,
  /** A single step. */
  BS: 1n << 14n,
  /** A task switch. */
  BT: 1n << 15n,
  /** Clear: within a transaction. */
  RTM: 1n << 16n,
} as const;

/** DR7: which breakpoints are on. Those of DR1 to DR3 are 2 bits further each. */
export const DR7 = {
  /** DR0's breakpoint, until the next task switch. */
  L0: 1n << 0n,
  /** DR0's breakpoint. */
  G0: 1n << 1n,
  /** Exact data breakpoints, until the next task switch: of no effect on newer processors. */
  LE: 1n << 8n,
  /** Exact data breakpoints: of no effect on newer processors. */
  GE: 1n << 9n,
  /** Always set. */
  FIXED: 1n << 10n,
  /** #DB in transactions. */
  RTM: 1n << 11n,
  /** An access to a debug register raises #DB. */
  GD: 1n << 13n,
} as const;

/** What a breakpoint waits for, and the number of it in DR7. */
const kinds = { execute: 0n, write: 1n, io: 2n, access: 3n } as const;
const lengths = { 1: 0n, 2: 1n, 8: 2n, 4: 3n } as const;

const OPERATION = "set a hardware breakpoint";

/** How many breakpoints there are. */
export const BREAKPOINT_SLOTS = 4;

/** A breakpoint in a debug register. */
export interface HardwareBreakpoint {
  /**
   * `"execute"`: before the instruction there. `"write"`: after a write to any of the bytes;
   * `"access"`: after a read or a write. `"io"`: after an access to a port, with CR4.DE.
   */
  readonly type: "execute" | "write" | "io" | "access";
  /** A linear address, or a port. */
  readonly address: bigint;
  /** Bytes: 1, 2, 4 or 8, and the address a multiple of them. 1 by default, and for `"execute"`. */
  readonly length?: 1 | 2 | 4 | 8 | undefined;
  /** The debug register, 0 to 3; by default the next one that is free. */
  readonly slot?: number | undefined;
}

/** Debug registers as `vcpu.setDebugregs` takes them, too. */
export interface DebugRegisters {
  /** DR0 to DR3. */
  readonly db: readonly bigint[];
  /** DR7. */
  readonly dr7: bigint;
}

/**
 * DR0 to DR3 and DR7 for up to four breakpoints.
 *
 * @example
 * ```ts
 * import { encodeBreakpoints } from "@deno-kvm/kvm";
 *
 * const { db, dr7 } = encodeBreakpoints([
 *   { type: "execute", address: 0x1000n },
 *   { type: "write", address: 0x2000n, length: 4 },
 * ]);
 * console.log(db[1], dr7.toString(16)); // 8192n "d0060a"
 * ```
 *
 * @throws {KvmError} EINVAL for an unknown type or length, an address that is no multiple of the
 * length, a slot that is taken or does not exist, or more than four.
 */
export function encodeBreakpoints(breakpoints: readonly HardwareBreakpoint[]): DebugRegisters {
  checkList(OPERATION, "What is set", breakpoints);
  const db = [0n, 0n, 0n, 0n];
  let dr7 = DR7.FIXED;
  const slots = new Map<number, HardwareBreakpoint>();
  for (const breakpoint of breakpoints) {
    const names = { type: true, address: true, length: true, slot: true } as const;
    checkNames(OPERATION, "A breakpoint", breakpoint, names);
    if (breakpoint.slot !== undefined) claim(slots, breakpoint.slot, breakpoint);
  }
  for (const breakpoint of breakpoints) {
    if (breakpoint.slot !== undefined) continue;
    let slot = 0;
    while (slots.has(slot)) slot++;
    claim(slots, slot, breakpoint);
  }
  for (const [slot, { type, address, length = 1 }] of slots) {
    check(type, address, length);
    const control = kinds[type] | lengths[length] << 2n;
    db[slot] = BigInt.asUintN(64, address);
    dr7 |= DR7.GE | DR7.G0 << BigInt(2 * slot) | control << BigInt(16 + 4 * slot);
  }
  return { db, dr7 };
}

/**
 * The breakpoints that debug registers stand for; those that are off are left out.
 *
 * @throws {KvmError} EINVAL for what is no debug registers.
 */
export function decodeBreakpoints(registers: {
  readonly db: ArrayLike<bigint>;
  readonly dr7: bigint;
}): HardwareBreakpoint[] {
  checkObject("read breakpoints", "What has them", registers);
  const { db, dr7 } = registers;
  checkList("read breakpoints", "db", db);
  checkU64("read breakpoints", "dr7", dr7);
  const breakpoints: HardwareBreakpoint[] = [];
  for (let slot = 0; slot < BREAKPOINT_SLOTS; slot++) {
    if ((dr7 >> BigInt(2 * slot) & (DR7.L0 | DR7.G0)) === 0n) continue;
    const control = dr7 >> BigInt(16 + 4 * slot);
    const type = nameOf(kinds, control & 3n) as HardwareBreakpoint["type"];
    const length = Number(nameOf(lengths, control >> 2n & 3n)) as 1 | 2 | 4 | 8;
    breakpoints.push({ slot, type, address: db[slot] ?? 0n, length });
  }
  return breakpoints;
}

/**
 * What DR6 says: the slots of the breakpoints that were hit, and whether it was a single step.
 *
 * @throws {KvmError} EINVAL for what is no bigint of 64 bits.
 */
export function decodeDr6(dr6: bigint): { readonly slots: number[]; readonly singleStep: boolean } {
  checkU64("read what DR6 says", "DR6", dr6);
  const hit = [DR6.B0, DR6.B1, DR6.B2, DR6.B3].map((bit) => (dr6 & bit) !== 0n);
  const slots = [...hit.keys()].filter((slot) => hit[slot]);
  return { slots, singleStep: (dr6 & DR6.BS) !== 0n };
}

function nameOf(values: Readonly<Record<PropertyKey, bigint>>, wanted: bigint): string {
  return Object.keys(values).find((name) => values[name] === wanted)!;
}

function claim(
  slots: Map<number, HardwareBreakpoint>,
  slot: number,
  breakpoint: HardwareBreakpoint,
): void {
  if (!Number.isInteger(slot) || slot < 0 || slot >= BREAKPOINT_SLOTS) {
    throw refuse(`There are ${BREAKPOINT_SLOTS} debug registers for breakpoints, 0 to 3`);
  }
  if (slots.has(slot)) throw refuse(`Two breakpoints want debug register ${slot}`);
  slots.set(slot, breakpoint);
}

function check(type: string, address: bigint, length: number): void {
  if (!isName(kinds, type)) throw refuse(`A type is ${Object.keys(kinds).join(", ")}`);
  if (typeof length !== "number" || !Object.hasOwn(lengths, length)) {
    throw refuse("A length is 1, 2, 4 or 8 bytes");
  }
  if (typeof address !== "bigint") throw refuse(`The address is a bigint, not ${show(address)}`);
  if (type === "execute" && length !== 1) throw refuse("An execution breakpoint has length 1");
  if (address % BigInt(length) !== 0n) {
    throw refuse(`The address 0x${address.toString(16)} is no multiple of the length, ${length}`);
  }
}

function refuse(hint: string): KvmError {
  return new KvmError({ operation: OPERATION, errno: Errno.EINVAL, hint });
}
