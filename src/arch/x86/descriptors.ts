/**
 * Segment selectors and descriptors, and their form in KVM, `struct kvm_segment` (SDM volume 3,
 * "Segment Selectors", "Segment Descriptors", "System Descriptor Types", "TSS Descriptor in 64-bit
 * mode").
 *
 * @module
 */

import { checkInteger, checkObject, checkU64, Errno, KvmError, show } from "../../../ffi/mod.ts";

/**
 * The 4-bit type of a code or data descriptor, whose `s` is 1 (SDM volume 3, "Code- and Data-Segment
 * Types").
 */
export const SegmentType = {
  /** Data, read only. */
  DATA_READ: 0,
  /** Set by the processor when a register is loaded with the segment. */
  ACCESSED: 1,
  /** Data, read and write. */
  DATA_READ_WRITE: 2,
  /** Data that grows down; added to the type. */
  EXPAND_DOWN: 4,
  /** Code, execute only. */
  CODE_EXECUTE: 8,
  /** Code, execute and read. */
  CODE_READ: 10,
  /** Code that lower levels may call; added to the type. */
  CONFORMING: 4,
} as const;

/**
 * The 4-bit type of a system descriptor, whose `s` is 0 (SDM volume 3, "System-Segment and
 * Gate-Descriptor Types").
 */
export const SystemType = {
  /** 16-bit TSS, available. */
  TSS16: 1,
  /** Local descriptor table. */
  LDT: 2,
  /** 16-bit TSS, busy. */
  TSS16_BUSY: 3,
  /** Call gate of 16 bits. */
  CALL_GATE16: 4,
  /** Task gate. */
  TASK_GATE: 5,
  /** Interrupt gate of 16 bits. */
  INTERRUPT_GATE16: 6,
  /** Trap gate of 16 bits. */
  TRAP_GATE16: 7,
  /** TSS of 32 bits, or of 64 in long mode, available. */
  TSS: 9,
  /** TSS of 32 bits, or of 64 in long mode, busy: the one that TR holds. */
  TSS_BUSY: 11,
  /** Call gate of 32 or 64 bits. */
  CALL_GATE: 12,
  /** Interrupt gate of 32 or 64 bits: it clears RFLAGS.IF. */
  INTERRUPT_GATE: 14,
  /** Trap gate of 32 or 64 bits: it leaves RFLAGS.IF. */
  TRAP_GATE: 15,
} as const;

/** A segment register with its hidden part, as plain numbers: the fields of `struct kvm_segment`. */
export interface SegmentState {
  /** Linear address of byte 0. */
  readonly base: bigint;
  /** The last valid offset in bytes, whatever `g` says. */
  readonly limit: number;
  /** The register's visible part. */
  readonly selector: number;
  /** `SegmentType` or `SystemType`. */
  readonly type: number;
  /** 1 if present. */
  readonly present: number;
  /** Privilege level, 0 to 3. */
  readonly dpl: number;
  /** Default operation size: 1 is 32 bits. */
  readonly db: number;
  /** 1 for code and data, 0 for a system descriptor. */
  readonly s: number;
  /** 1 for 64-bit code. */
  readonly l: number;
  /** 1 if the descriptor counts in 4 KiB pages. */
  readonly g: number;
  /** For software's use. */
  readonly avl: number;
  /** 1 for a register that holds no segment. */
  readonly unusable: number;
}

const U32 = 0xffff_ffff;
const PAGE_MASK = 0xfff;

/** A selector: the descriptor's index in its table, the requested level, and which table. */
export function selector(index: number, rpl = 0, table: "gdt" | "ldt" = "gdt"): number {
  checkInteger("make a selector", "An index", index, 0, 0x1fff);
  checkInteger("make a selector", "A level", rpl, 0, 3);
  return (index << 3) | (table === "ldt" ? 4 : 0) | rpl;
}

/** Memory without segmentation's limits: base 0, 4 GiB, present, accessed. */
function flat(fields: Partial<SegmentState>): SegmentState {
  return {
    base: 0n,
    limit: U32,
    selector: 0,
    type: SegmentType.DATA_READ_WRITE | SegmentType.ACCESSED,
    present: 1,
    dpl: 0,
    db: 1,
    s: 1,
    l: 0,
    g: 1,
    avl: 0,
    unusable: 0,
    ...fields,
  };
}

/** Flat, readable 64-bit code. */
export function codeSegment64(selector: number, dpl = 0): SegmentState {
  return flat({ selector, dpl, type: SegmentType.CODE_READ | SegmentType.ACCESSED, l: 1, db: 0 });
}

/** Flat, readable 32-bit code. */
export function codeSegment32(selector: number, dpl = 0): SegmentState {
  return flat({ selector, dpl, type: SegmentType.CODE_READ | SegmentType.ACCESSED });
}

/** Flat, writable data; in 32-bit code also a stack segment with ESP. */
export function dataSegment(selector: number, dpl = 0): SegmentState {
  return flat({ selector, dpl });
}

/**
 * A real-mode segment: 64 KiB at 16 times the selector (SDM volume 3, "Address Translation in
 * Real-Address Mode"). Its code segment has the type that VT-x demands of a guest's CS (SDM volume 3,
 * "Checks on Guest Segment Registers").
 */
export function realModeSegment(selector: number, kind: "code" | "data"): SegmentState {
  checkInteger("make a real-mode segment", "A selector", selector, 0, 0xffff);
  const base = BigInt(selector) << 4n;
  const type = (kind === "code" ? SegmentType.CODE_READ : SegmentType.DATA_READ_WRITE) |
    SegmentType.ACCESSED;
  return flat({ selector, base, limit: 0xffff, type, db: 0, g: 0 });
}

/** The task register: a TSS of 32 bits, or of 64 in long mode, that is in use. */
export function taskRegister(selector: number, base: number, limit: number): SegmentState {
  checkInteger("make a task register", "The base", base, 0, Number.MAX_SAFE_INTEGER);
  const type = SystemType.TSS_BUSY;
  return flat({ selector, base: BigInt(base), limit, type, s: 0, db: 0, g: 0 });
}

/** A register that holds no segment: LDTR when there is no LDT. */
export function unusableSegment(type = 0): SegmentState {
  return flat({ limit: 0, type, s: 0, present: 0, db: 0, g: 0, unusable: 1 });
}

/**
 * The 8 bytes of a descriptor; its selector and what does not fit in 8 bytes, the upper half of a
 * base, are left out. An unusable segment gives 0, the null descriptor.
 *
 * @throws {KvmError} EINVAL for a limit that a descriptor can't hold: one above 2^20 - 1 has to
 * count pages (`g` 1) and end at a page's end.
 */
export function encodeDescriptor(segment: SegmentState): bigint {
  checkObject("encode a descriptor", "A segment", segment);
  const { base, limit, type, s, dpl, present, avl, l, db, g, unusable } = segment;
  if (unusable === 1) return 0n;
  checkU64("encode a descriptor", "base", base);
  for (const [name, value] of Object.entries({ type, s, dpl, present, avl, l, db })) {
    checkInteger("encode a descriptor", name, value, 0, 15);
  }
  const fits = g === 1 ? limit <= U32 && (limit & PAGE_MASK) === PAGE_MASK : limit < 2 ** 20;
  if (!Number.isInteger(limit) || limit < 0 || !fits) {
    const hint = g === 1
      ? "With g = 1 it counts 4 KiB pages, up to 0xffffffff: its low 12 bits are set"
      : "With g = 0 it is at most 0xfffff; larger segments have g = 1";
    const operation = `encode a segment limit of ${show(limit)}`;
    throw new KvmError({ operation, errno: Errno.EINVAL, hint });
  }
  const units = BigInt(g === 1 ? Math.floor(limit / 4096) : limit);
  const access = type | (s << 4) | (dpl << 5) | (present << 7);
  const flags = avl | (l << 1) | (db << 2) | (g << 3);
  return (units & 0xffffn) | ((base & 0xffffffn) << 16n) | (BigInt(access) << 40n) |
    ((units >> 16n) << 48n) | (BigInt(flags) << 52n) | (((base >> 24n) & 0xffn) << 56n);
}

/** The segment that a register holds after it was loaded with a selector of this descriptor. */
export function decodeDescriptor(descriptor: bigint, selector = 0): SegmentState {
  checkU64("decode a descriptor", "A descriptor", descriptor);
  const bits = (from: bigint, count: number) => Number(BigInt.asUintN(count, descriptor >> from));
  const units = bits(0n, 16) | (bits(48n, 4) << 16);
  const g = bits(55n, 1);
  return {
    base: BigInt.asUintN(24, descriptor >> 16n) | (BigInt.asUintN(8, descriptor >> 56n) << 24n),
    limit: g === 1 ? units * 4096 + PAGE_MASK : units,
    selector,
    type: bits(40n, 4),
    present: bits(47n, 1),
    dpl: bits(45n, 2),
    db: bits(54n, 1),
    s: bits(44n, 1),
    l: bits(53n, 1),
    g,
    avl: bits(52n, 1),
    unusable: 1 - bits(47n, 1),
  };
}

/** The 16 bytes of a TSS or LDT descriptor in long mode, low half first. */
export function encodeSystemDescriptor(segment: SegmentState): [low: bigint, high: bigint] {
  const low = encodeDescriptor(segment);
  checkU64("encode a descriptor", "base", segment.base);
  return [low, segment.base >> 32n];
}

/** The segment of a 16-byte descriptor. */
export function decodeSystemDescriptor(low: bigint, high: bigint, selector = 0): SegmentState {
  const segment = decodeDescriptor(low, selector);
  checkU64("decode a descriptor", "The high half", high);
  return { ...segment, base: segment.base | (BigInt.asUintN(32, high) << 32n) };
}
