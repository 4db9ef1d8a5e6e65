/**
 * A list of CPUID leaves, as plain objects.
 *
 * @module
 */

import {
  checkInteger,
  checkNames,
  checkObject,
  Errno,
  KvmError,
  listOf,
  type Names,
  show,
  U32_MAX,
} from "../../../ffi/mod.ts";
import { CpuidFlag } from "../../../ffi/uapi/mod.ts";
import type { CpuidRegister } from "../../arch/x86/mod.ts";
import { countsSubleaves, hasSubleaves, rangeOf } from "../../arch/x86/cpuid/mod.ts";

/** What CPUID answers for a leaf, or for a subleaf of one. */
export interface CpuidEntry {
  /** EAX when the guest calls CPUID: the leaf. */
  function: number;
  /** ECX when the guest calls CPUID: the subleaf, where `flags` says that it counts. */
  index: number;
  /** `CpuidFlag`. */
  flags: number;
  /** The answer's EAX. */
  eax: number;
  /** The answer's EBX. */
  ebx: number;
  /** The answer's ECX. */
  ecx: number;
  /** The answer's EDX. */
  edx: number;
}

/** Far more than the kernel has, or takes. */
export const MOST_LEAVES = 4096;

const REGISTERS: Names<Record<CpuidRegister, number>> = {
  eax: true,
  ebx: true,
  ecx: true,
  edx: true,
};

/** The leaf part of {@linkcode Cpuid}. */
export class CpuidLeaves {
  /** The leaves, in the kernel's order. */
  readonly entries: CpuidEntry[];

  /**
   * A list of its own copies of the entries.
   *
   * @throws {KvmError} EINVAL for what is no list of objects.
   */
  constructor(entries: Iterable<CpuidEntry> = []) {
    const operation = "list CPUID leaves";
    this.entries = listOf(operation, "The list", entries, MOST_LEAVES).map((entry) => {
      checkObject(operation, "An entry", entry);
      return { ...entry };
    });
  }

  /** The entry for a leaf and, where it has subleaves, a subleaf; undefined if there is none. */
  find(leaf: number, subleaf = 0): CpuidEntry | undefined {
    return this.entries.find((entry) =>
      entry.function === leaf &&
      ((entry.flags & CpuidFlag.SIGNIFCANT_INDEX) === 0 || entry.index === subleaf)
    );
  }

  /**
   * Sets registers of a leaf's answer; those left out keep their value, or are 0 in a new leaf. The
   * highest leaf of its range, and the highest subleaf where one is told, are raised if need be.
   *
   * @throws {KvmError} EINVAL for a number that is not one of 32 unsigned bits.
   */
  set(leaf: number, registers: Partial<Record<CpuidRegister, number>>, subleaf = 0): this {
    checkNames(`set CPUID leaf ${hex(leaf)}`, "What to set", registers, REGISTERS);
    for (const [name, value] of Object.entries({ leaf, subleaf, ...registers })) {
      if (Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff) continue;
      throw new KvmError({
        operation: `set CPUID leaf ${hex(leaf)}`,
        errno: Errno.EINVAL,
        hint: `${name} is a number of 32 bits, without sign (use >>> 0), not ${show(value)}`,
      });
    }
    Object.assign(this.find(leaf, subleaf) ?? this.#insert(leaf, subleaf), registers);
    const range = rangeOf(leaf);
    if (leaf !== range) this.#raise(range, leaf);
    if (subleaf > 0 && countsSubleaves(leaf)) this.#raise(leaf, subleaf);
    return this;
  }

  /**
   * Keeps only these bits of a leaf's answer; registers left out keep all, and a leaf that is not there
   * stays so.
   *
   * @throws {KvmError} EINVAL for what is no mask of 32 bits.
   */
  mask(leaf: number, registers: Partial<Record<CpuidRegister, number>>, subleaf = 0): this {
    const operation = `mask CPUID leaf ${hex(leaf)}`;
    checkNames(operation, "What to keep", registers, REGISTERS);
    const masks = Object.entries(registers).map(([register, mask = -1]) => {
      // ~0 is a mask, too.
      checkInteger(operation, register, mask, -(2 ** 31), U32_MAX);
      return [register as CpuidRegister, mask] as const;
    });
    const entry = this.find(leaf, subleaf);
    if (entry === undefined) return this;
    for (const [register, mask] of masks) entry[register] = (entry[register] & mask) >>> 0;
    return this;
  }

  /** Takes a leaf out with all of its subleaves, or one subleaf. */
  remove(leaf: number, subleaf?: number): this {
    const keep = this.entries.filter((entry) =>
      entry.function !== leaf || (subleaf !== undefined && entry.index !== subleaf)
    );
    this.entries.splice(0, Infinity, ...keep);
    return this;
  }

  /** The highest basic leaf: leaf 0's EAX. */
  get maxLeaf(): number {
    return this.find(0)?.eax ?? 0;
  }

  /**
   * Lowers the highest leaf of a range and takes out those above: `limit(7)`, `limit(0x80000008)`.
   * One that is lower already stays.
   */
  limit(leaf: number): this {
    checkInteger("limit the CPUID leaves", "A leaf", leaf, 0, U32_MAX);
    const range = rangeOf(leaf);
    const first = this.find(range);
    if (first !== undefined) first.eax = Math.min(first.eax, leaf);
    const keep = this.entries.filter((entry) =>
      entry.function <= leaf || rangeOf(entry.function) !== range
    );
    this.entries.splice(0, Infinity, ...keep);
    return this;
  }

  #raise(leaf: number, least: number): void {
    const entry = this.find(leaf) ?? this.#insert(leaf, 0);
    entry.eax = Math.max(entry.eax, least);
  }

  /** A new entry at its place. */
  #insert(leaf: number, subleaf: number): CpuidEntry {
    const flags = hasSubleaves(leaf) ? CpuidFlag.SIGNIFCANT_INDEX : 0;
    const index = flags === 0 ? 0 : subleaf;
    const entry = { function: leaf, index, flags, eax: 0, ebx: 0, ecx: 0, edx: 0 };
    const behind = this.entries.findIndex((other) => isBefore(entry, other));
    this.entries.splice(behind < 0 ? this.entries.length : behind, 0, entry);
    return entry;
  }
}

/** Where the kernel has the ranges of leaves. */
const ranges: readonly number[] = [0, 0x8000_0000, 0xc000_0000, 0x4000_0000];

function isBefore(entry: CpuidEntry, other: CpuidEntry): boolean {
  const range = ranges.indexOf(rangeOf(entry.function)) - ranges.indexOf(rangeOf(other.function));
  const leaf = entry.function - other.function;
  return (range || leaf || entry.index - other.index) < 0;
}

function hex(leaf: number): string {
  return typeof leaf === "number" ? `0x${leaf.toString(16)}` : show(leaf);
}
