/**
 * Which MSRs a guest may use, as the kernel wants to be told: up to 16 bitmaps (api.rst 4.97).
 *
 * @module
 */

import {
  checkInteger,
  checkList,
  checkObject,
  create,
  Errno,
  isName,
  KvmError,
  type StructOf,
  U32_MAX,
  withPointer,
} from "../../ffi/mod.ts";
import { kvmMsrFilter, MsrFilter } from "../../ffi/uapi/mod.ts";

/** One MSR by number, or all from a first to a last one. */
export type Msrs = number | readonly [first: number, last: number];

/** The MSRs that a guest may not use; it may use all others. */
export interface MsrDenials {
  /** Neither read nor write. */
  readonly deny?: readonly Msrs[] | undefined;
  /** Not read. */
  readonly denyReads?: readonly Msrs[] | undefined;
  /** Not write. */
  readonly denyWrites?: readonly Msrs[] | undefined;
}

/** The only MSRs that a guest may use; at least one. */
export interface MsrAllowances {
  /** Read and write. */
  readonly allow?: readonly Msrs[] | undefined;
  /** Read. */
  readonly allowReads?: readonly Msrs[] | undefined;
  /** Write. */
  readonly allowWrites?: readonly Msrs[] | undefined;
}

/** A range whose bitmap has no address yet. */
interface MsrFilterRange {
  /** The accesses that it decides. */
  readonly flags: number;
  /** Its first MSR. */
  readonly base: number;
  /** How many. */
  readonly nmsrs: number;
  /** A bit per MSR: 1 allows. */
  readonly bitmap: Uint8Array<ArrayBuffer>;
}

interface Span {
  readonly first: number;
  readonly last: number;
}

const OPERATION = "filter MSRs";
/** The most MSRs that one range can have. */
const WIDEST = MsrFilter.MAX_BITMAP_SIZE * 8;
/** The most that all ranges can have. */
const MOST = MsrFilter.MAX_RANGES * WIDEST;
const { READ, WRITE } = MsrFilter;
const lists = {
  deny: READ | WRITE,
  denyReads: READ,
  denyWrites: WRITE,
  allow: READ | WRITE,
  allowReads: READ,
  allowWrites: WRITE,
} as const;

/** Calls with what the ioctl takes; the bitmaps that it points to live as long as the call. */
export function withMsrFilter(
  rules: MsrDenials | MsrAllowances,
  call: (filter: StructOf<typeof kvmMsrFilter>) => void,
): void {
  const { allowing, ranges } = compile(rules);
  const filter = create(kvmMsrFilter);
  filter.flags = allowing ? MsrFilter.DEFAULT_DENY : MsrFilter.DEFAULT_ALLOW;
  const bytes = new Uint8Array(
    new ArrayBuffer(ranges.reduce((sum, { bitmap }) => sum + bitmap.length, 0)),
  );
  const pointer = { start: 0n };
  withPointer(pointer, "start", bytes, () => {
    let at = 0;
    ranges.forEach(({ flags, base, nmsrs, bitmap }, index) => {
      bytes.set(bitmap, at);
      Object.assign(filter.ranges[index]!, { flags, base, nmsrs });
      filter.ranges[index]!.bitmap = pointer.start + BigInt(at);
      at += bitmap.length;
    });
    call(filter);
  });
}

/** Puts MSRs that lie close together into one range each, for reads, writes or both. */
function compile(rules: MsrDenials | MsrAllowances) {
  checkObject(OPERATION, "A filter", rules);
  const names = Object.keys(rules);
  const allowing = names.length > 0 && names.every((name) => name.startsWith("allow"));
  if (
    !names.every((name) => isName(lists, name)) || (!allowing && names.some(isAllowance))
  ) {
    const hint =
      "A filter has deny, denyReads and denyWrites, or allow, allowReads and allowWrites";
    throw new KvmError({ operation: OPERATION, errno: Errno.EINVAL, hint });
  }
  const spans: Record<typeof READ | typeof WRITE, Span[]> = { [READ]: [], [WRITE]: [] };
  for (const [name, list] of entriesOf(rules)) {
    checkList(OPERATION, name, list, MOST);
    for (let index = 0; index < list.length; index++) {
      const span = spanOf(list[index]!);
      for (const access of [READ, WRITE]) {
        if ((lists[name as keyof typeof lists] & access) !== 0) spans[access].push(span);
      }
    }
  }

  // Reads and writes apart: KVM takes the first range that holds an MSR, so windows of both kinds
  // that overlapped would hide each other.
  const windows = ([READ, WRITE] as const).map((access) => ({
    access,
    windows: windowsOf(joined(spans[access])),
  }));
  const ranges = merged(windows.flatMap(({ access, windows }) => {
    // As many ranges at least: their bitmaps need not be made.
    if (windows.length > MsrFilter.MAX_RANGES) throw tooMany(windows.length);
    return windows.map((window) => rangeOf(window, access, allowing));
  }));
  if (ranges.length <= MsrFilter.MAX_RANGES) return { allowing, ranges };
  throw tooMany(ranges.length);
}

function tooMany(ranges: number): KvmError {
  const hint = `The MSRs need ${ranges} ranges of up to ${WIDEST} MSRs, apart for reads and ` +
    `writes where they differ; KVM takes ${MsrFilter.MAX_RANGES}`;
  return new KvmError({ operation: OPERATION, errno: Errno.E2BIG, hint });
}

function entriesOf(rules: MsrDenials | MsrAllowances): [string, readonly Msrs[]][] {
  return Object.entries(rules).filter(([, list]) => list !== undefined);
}

function isAllowance(name: string): boolean {
  return name.startsWith("allow");
}

/** A list's entry. */
function spanOf(msrs: Msrs): Span {
  if (typeof msrs !== "number") checkList(OPERATION, "MSRs from a first to a last one", msrs);
  const [first, last] = typeof msrs === "number" ? [msrs, msrs] : msrs;
  checkInteger(OPERATION, "An MSR", first, 0, U32_MAX);
  checkInteger(OPERATION, "The last MSR", last, first, U32_MAX);
  checkInteger(OPERATION, "The last MSR of a filter's ranges", last, first, first + MOST - 1);
  return { first, last };
}

/** The same MSRs, ascending and each once. */
function joined(spans: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (const { first, last } of spans.toSorted((a, b) => a.first - b.first)) {
    const before = result.at(-1);
    if (before === undefined || first > before.last + 1) result.push({ first, last });
    else result[result.length - 1] = { ...before, last: Math.max(before.last, last) };
  }
  return result;
}

/** Spans in groups, each of which one range holds; what is longer than a range is cut. */
function windowsOf(spans: readonly Span[]): Span[][] {
  const windows: Span[][] = [];
  for (const { first, last } of spans) {
    for (let at = first; at <= last;) {
      let window = windows.at(-1);
      if (window === undefined || at - window[0]!.first >= WIDEST) windows.push(window = []);
      const end = Math.min(last, (window[0]?.first ?? at) + WIDEST - 1);
      window.push({ first: at, last: end });
      at = end + 1;
    }
  }
  return windows;
}

/** The range of a window. */
function rangeOf(window: readonly Span[], flags: number, allowing: boolean): MsrFilterRange {
  const base = window[0]!.first;
  const nmsrs = window.at(-1)!.last - base + 1;
  // The kernel reads whole u64.
  const bitmap = new Uint8Array(new ArrayBuffer(Math.ceil(nmsrs / 64) * 8));
  if (!allowing) bitmap.fill(0xff);
  for (const { first, last } of window) {
    for (let bit = first - base; bit <= last - base; bit++) {
      if (allowing) bitmap[bit >>> 3]! |= 1 << (bit & 7);
      else bitmap[bit >>> 3]! &= ~(1 << (bit & 7));
    }
  }
  return { flags, base, nmsrs, bitmap };
}

/** One range for reads and writes where they are the same. */
function merged(ranges: readonly MsrFilterRange[]): MsrFilterRange[] {
  const result: MsrFilterRange[] = [];
  for (const range of ranges) {
    const { base, nmsrs, bitmap } = range;
    const twin = result.findIndex((other) =>
      other.base === base && other.nmsrs === nmsrs &&
      other.bitmap.every((byte, index) => byte === bitmap[index])
    );
    if (twin < 0) result.push(range);
    else result[twin] = { ...range, flags: READ | WRITE };
  }
  return result;
}
