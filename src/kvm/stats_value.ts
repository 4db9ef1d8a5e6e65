/**
 * What a statistic's flags mean, and its value by them (api.rst 4.133).
 *
 * @module
 */

import type { StructOf } from "../../ffi/mod.ts";
import { type kvmStatsDesc, StatsBase, StatsType, StatsUnit } from "../../ffi/uapi/mod.ts";

/**
 * How a statistic behaves: it only grows, it is what is the case now, it is the largest so far, or
 * it counts by the size of what it counts.
 */
export type StatKind =
  | "cumulative"
  | "instant"
  | "peak"
  | "linearHistogram"
  | "logHistogram"
  | "unknown";

/** What a statistic is in; `"none"` for a plain count. */
export type StatUnit = "none" | "bytes" | "seconds" | "cycles" | "boolean" | "unknown";

/** What a statistic is. */
export interface StatDescriptor {
  /** The kernel's name: `"halt_exits"`. */
  readonly name: string;
  /** How it behaves. */
  readonly kind: StatKind;
  /** What it is in. */
  readonly unit: StatUnit;
  /** The kernel's numbers times this are in the unit: 1e-9 for nanoseconds. */
  readonly scale: number;
  /** How many numbers it has: the buckets of a histogram, else 1. */
  readonly size: number;
  /** Where they are among the numbers of the file. */
  readonly offset: number;
  /** The width of a linear histogram's buckets, in the kernel's numbers. */
  readonly bucketSize: number;
}

/** One bucket of a histogram. */
export interface StatBucket {
  /** The least that it counts, in the histogram's unit. */
  readonly from: number;
  /** What it counts is less than this; infinite in the last. */
  readonly to: number;
  /** How many. */
  readonly count: number;
}

/** A statistic as it was when read. */
export interface Stat {
  /** The kernel's name: `"halt_exits"`. */
  readonly name: string;
  /** How it behaves. */
  readonly kind: StatKind;
  /** What `value` is in, or the buckets' bounds. */
  readonly unit: StatUnit;
  /** The value in its unit; of a histogram, the sum of its counts. */
  readonly value: number;
  /** The kernel's numbers, exactly: one, or one per bucket. */
  readonly raw: readonly bigint[];
  /** A histogram's buckets; others have none. */
  readonly buckets: readonly StatBucket[] | undefined;
}

const kinds: Readonly<Record<number, StatKind>> = {
  [StatsType.CUMULATIVE]: "cumulative",
  [StatsType.INSTANT]: "instant",
  [StatsType.PEAK]: "peak",
  [StatsType.LINEAR_HIST]: "linearHistogram",
  [StatsType.LOG_HIST]: "logHistogram",
};

const units: Readonly<Record<number, StatUnit>> = {
  [StatsUnit.NONE]: "none",
  [StatsUnit.BYTES]: "bytes",
  [StatsUnit.SECONDS]: "seconds",
  [StatsUnit.CYCLES]: "cycles",
  [StatsUnit.BOOLEAN]: "boolean",
};

const bases: Readonly<Record<number, number>> = { [StatsBase.POW10]: 10, [StatsBase.POW2]: 2 };

const BYTES = BigUint64Array.BYTES_PER_ELEMENT;

/** Reads a descriptor. */
export function descriptorOf(desc: StructOf<typeof kvmStatsDesc>, name: string): StatDescriptor {
  const { flags, exponent, size, offset, bucketSize } = desc;
  return {
    name,
    kind: kinds[flags & StatsType.MASK] ?? "unknown",
    unit: units[flags & StatsUnit.MASK] ?? "unknown",
    scale: (bases[flags & StatsBase.MASK] ?? 1) ** exponent,
    size,
    offset: offset / BYTES,
    bucketSize,
  };
}

/** A statistic's value. */
export function statOf(descriptor: StatDescriptor, values: BigUint64Array): Stat {
  const { name, kind, unit, scale } = descriptor;
  const histogram = kind === "linearHistogram" || kind === "logHistogram";
  const raw = [...values];
  const buckets = histogram ? bucketsOf(descriptor, raw) : undefined;
  const value = buckets === undefined
    ? Number(raw[0] ?? 0n) * scale
    : buckets.reduce((sum, { count }) => sum + count, 0);
  return { name, kind, unit, value, raw, buckets };
}

function bucketsOf({ kind, scale, bucketSize }: StatDescriptor, raw: readonly bigint[]) {
  // The buckets of a logarithmic one begin at 0, 1, 2, 4, 8...
  const start = kind === "linearHistogram"
    ? (index: number) => index * bucketSize
    : (index: number) => index === 0 ? 0 : 2 ** (index - 1);
  return raw.map((count, index): StatBucket => ({
    from: start(index) * scale,
    to: index === raw.length - 1 ? Infinity : start(index + 1) * scale,
    count: Number(count),
  }));
}
