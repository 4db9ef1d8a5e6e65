/**
 * Walks a guest's page tables as the processor does, and says what it saw on the way (SDM volume 3,
 * "32-Bit Paging", "PAE Paging", "4-Level Paging and 5-Level Paging").
 *
 * @module
 */

import { checkObject, checkU64, Errno, KvmError, show } from "../../../ffi/mod.ts";
import { CR0, CR4, EFER } from "./control_registers.ts";
import { PageEntry } from "./paging.ts";

/** Where page tables are read: guest memory, or any other with these two. */
export interface PhysicalMemory {
  /** Reads 32 bits; throws a `KvmError` with code `EFAULT` where there is no memory. */
  readU32(address: number): number;
  /** Reads 64 bits; throws a `KvmError` with code `EFAULT` where there is no memory. */
  readU64(address: number): bigint;
}

/** The registers that decide how addresses are translated; `vcpu.getSregs()` has those needed. */
export interface PagingState {
  /** CR0. */
  readonly cr0: bigint;
  /** CR3. */
  readonly cr3: bigint;
  /** CR4. */
  readonly cr4: bigint;
  /** EFER. */
  readonly efer: bigint;
  /**
   * PAE paging: the four pointers that the processor keeps since CR3 was loaded, `sregs2.pdptrs`;
   * read from memory by default.
   */
  readonly pdptrs?: ArrayLike<bigint> | undefined;
  /** Bits of a physical address, of CPUID leaf 0x80000008; 52 by default. */
  readonly physAddrBits?: number | undefined;
  /** Whether there are pages of 1 GiB, of CPUID leaf 0x80000001; by default there are. */
  readonly gbPages?: boolean | undefined;
}

/** How addresses are translated; `"none"` without paging. */
export type PagingMode = "none" | "32-bit" | "PAE" | "4-level" | "5-level";

/**
 * Why an address leads nowhere: it is not canonical or has too many bits; an entry is not present,
 * or has a reserved bit set; a table is not in memory.
 */
export type PageWalkFault = "notCanonical" | "notPresent" | "reserved" | "noMemory";

/** One entry on the way. */
export interface PageWalkStep {
  /** Its table's level: 1 is the lowest. */
  readonly level: number;
  /** The entry's guest-physical address; undefined for one that the processor keeps. */
  readonly address: number | undefined;
  /** The entry; undefined if its table is not in memory. */
  readonly entry: bigint | undefined;
}

/** What a walk found. */
export interface PageWalk {
  /** The linear address. */
  readonly address: bigint;
  /** How it was translated. */
  readonly mode: PagingMode;
  /** The guest-physical address; undefined if it has none. */
  readonly physAddr: number | undefined;
  /** Why it has none. */
  readonly fault: PageWalkFault | undefined;
  /** Bytes of the page: 4 KiB, 2 MiB, 4 MiB or 1 GiB; 0 without paging or without a page. */
  readonly pageSize: number;
  /** Whether every entry allows writes: level 3 can then write, and level 0 with CR0.WP. */
  readonly writable: boolean;
  /** Whether every entry allows level 3. */
  readonly user: boolean;
  /** Whether no entry forbids execution. */
  readonly executable: boolean;
  /** Whether every entry was used before. */
  readonly accessed: boolean;
  /** Whether the page was written to before. */
  readonly dirty: boolean;
  /** Whether the page survives a change of CR3. */
  readonly global: boolean;
  /** The entries on the way, from the top; up to the one that was at fault. */
  readonly steps: readonly PageWalkStep[];
}

/** A mode's geometry. */
interface Paging {
  readonly mode: PagingMode;
  readonly levels: number;
  /** Bytes of an entry. */
  readonly entryBytes: 4 | 8;
  /** Bits of a linear address that choose an entry; of the highest table. */
  readonly topBits: number;
  /** Bits of a linear address. */
  readonly linearBits: number;
  /** Bits of CR3 that are the highest table's address. */
  readonly cr3Mask: bigint;
}

const { P, RW, US, A, D, PS, G, NX } = PageEntry;
const TABLE_MASK = 0x000f_ffff_ffff_f000n;
const PAGE_BITS = 12;

const none: Paging = {
  mode: "none",
  levels: 0,
  entryBytes: 8,
  topBits: 0,
  linearBits: 64,
  cr3Mask: 0n,
};
const paging32: Paging = {
  mode: "32-bit",
  levels: 2,
  entryBytes: 4,
  topBits: 10,
  linearBits: 32,
  cr3Mask: 0xffff_f000n,
};
const pae: Paging = {
  mode: "PAE",
  levels: 3,
  entryBytes: 8,
  topBits: 2,
  linearBits: 32,
  cr3Mask: 0xffff_ffe0n,
};
const fourLevel: Paging = {
  mode: "4-level",
  levels: 4,
  entryBytes: 8,
  topBits: 9,
  linearBits: 48,
  cr3Mask: TABLE_MASK,
};
const fiveLevel: Paging = { ...fourLevel, mode: "5-level", levels: 5, linearBits: 57 };

/**
 * How a processor in this state translates addresses.
 *
 * @throws {KvmError} EINVAL for what is no such state.
 */
export function pagingMode(state: PagingState): PagingMode {
  return pagingOf(state).mode;
}

/**
 * Translates a linear address by the page tables in memory. Unlike the processor, it neither sets
 * accessed and dirty bits nor forgets anything: it knows no TLB.
 *
 * @example
 * ```ts
 * import { guests, Kvm, longMode, walkPages } from "@deno-kvm/kvm";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * const memory = vm.addMemory({ size: 2 << 20 });
 * using vcpu = vm.createVcpu(0);
 * longMode(vcpu, memory, { code: guests.halt });
 * const walk = walkPages(memory, vcpu.getSregs(), 0x1234n);
 * console.log(walk.physAddr, walk.pageSize, walk.steps.length); // 4660 2097152 3
 * ```
 *
 * @throws {KvmError} EINVAL if the address is no bigint of 64 bits.
 */
export function walkPages(memory: PhysicalMemory, state: PagingState, address: bigint): PageWalk {
  if (typeof address !== "bigint" || BigInt.asUintN(64, address) !== address) {
    const operation = `walk the page tables for ${show(address)}`;
    const hint = "A linear address is a bigint from 0 to 2^64 - 1";
    throw new KvmError({ operation, errno: Errno.EINVAL, hint });
  }
  checkObject("walk page tables", "Where they are", memory);
  const paging = pagingOf(state);
  const steps: PageWalkStep[] = [];
  const rights = { writable: true, user: true, executable: true, accessed: true };
  const result = { address, mode: paging.mode, steps };
  const leaf = { ...rights, dirty: false, global: false };
  const fail = (fault: PageWalkFault): PageWalk => ({
    ...result,
    physAddr: undefined,
    fault,
    pageSize: 0,
    writable: false,
    user: false,
    executable: false,
    accessed: false,
    dirty: false,
    global: false,
  });
  if (paging.mode === "none") {
    const low = Number(BigInt.asUintN(52, address));
    return { ...result, ...leaf, physAddr: low, fault: undefined, pageSize: 0 };
  }
  if (!fits(address, paging)) return fail("notCanonical");

  let table = Number(state.cr3 & paging.cr3Mask);
  for (let level = paging.levels;; level--) {
    const shift = shiftOf(paging, level);
    const bits = level === paging.levels ? paging.topBits : indexBits(paging);
    const index = Number(BigInt.asUintN(bits, address >> BigInt(shift)));
    const kept = paging.mode === "PAE" && level === paging.levels ? state.pdptrs : undefined;
    const at = table + index * paging.entryBytes;
    const entry = kept === undefined ? read(memory, at, paging) : kept[index];
    steps.push({ level, address: kept === undefined ? at : undefined, entry });
    if (entry === undefined) return fail("noMemory");
    if ((entry & P) === 0n) return fail("notPresent");
    const page = isPage(entry, level, paging, state);
    if ((entry & reservedBits(level, page, paging, state)) !== 0n) return fail("reserved");

    // The entries of PAE's highest table have no rights and no accessed bit.
    if (paging.mode !== "PAE" || level < paging.levels) {
      rights.writable &&= (entry & RW) !== 0n;
      rights.user &&= (entry & US) !== 0n;
      rights.executable &&= paging.entryBytes === 4 || (entry & NX) === 0n;
      rights.accessed &&= (entry & A) !== 0n;
    }
    if (!page) {
      table = Number(entry & (paging.entryBytes === 4 ? 0xffff_f000n : TABLE_MASK));
      continue;
    }
    const pageSize = 2 ** shift;
    const base = pageBase(entry, level, paging) & ~BigInt(pageSize - 1);
    return {
      ...result,
      ...rights,
      dirty: (entry & D) !== 0n,
      global: (entry & G) !== 0n && (state.cr4 & CR4.PGE) !== 0n,
      physAddr: Number(base | address & BigInt(pageSize - 1)),
      fault: undefined,
      pageSize,
    };
  }
}

function pagingOf(state: PagingState): Paging {
  const operation = "translate addresses";
  checkObject(operation, "What decides how", state);
  const { cr0, cr3, cr4, efer } = state;
  for (const [name, value] of Object.entries({ cr0, cr3, cr4, efer })) {
    checkU64(operation, name, value);
  }
  if ((cr0 & CR0.PG) === 0n) return none;
  if ((efer & EFER.LMA) !== 0n) return (cr4 & CR4.LA57) !== 0n ? fiveLevel : fourLevel;
  return (cr4 & CR4.PAE) !== 0n ? pae : paging32;
}

/** Long mode's addresses are sign-extended, the others are short. */
function fits(address: bigint, { linearBits }: Paging): boolean {
  return linearBits === 32
    ? address < 1n << 32n
    : BigInt.asUintN(64, BigInt.asIntN(linearBits, address)) === address;
}

function indexBits({ entryBytes }: Paging): number {
  return entryBytes === 4 ? 10 : 9;
}

function shiftOf(paging: Paging, level: number): number {
  return PAGE_BITS + indexBits(paging) * (level - 1);
}

function read(memory: PhysicalMemory, at: number, { entryBytes }: Paging): bigint | undefined {
  try {
    return entryBytes === 4 ? BigInt(memory.readU32(at)) : memory.readU64(at);
  } catch (error) {
    if (error instanceof KvmError && error.code === "EFAULT") return undefined;
    throw error;
  }
}

function isPage(entry: bigint, level: number, { mode }: Paging, { cr4 }: PagingState): boolean {
  if (level === 1) return true;
  if ((entry & PS) === 0n) return false;
  // In the pointer tables of PAE, and above 1 GiB, the bit is reserved and not a page's mark.
  if (mode === "32-bit") return (cr4 & CR4.PSE) !== 0n;
  return level === 2 || (level === 3 && mode !== "PAE");
}

/** The bits from `first` to `last`. */
function bits(first: number, last: number): bigint {
  return first > last ? 0n : (1n << BigInt(last + 1)) - (1n << BigInt(first));
}

function reservedBits(
  level: number,
  page: boolean,
  { mode, levels }: Paging,
  { efer, physAddrBits = 52, gbPages = true }: PagingState,
): bigint {
  if (mode === "32-bit") {
    // PSE-36: bits 13 and up of a 4 MiB page's entry are address bits 32 and up.
    return page && level === 2 ? bits(Math.min(physAddrBits, 40) - 19, 21) : 0n;
  }
  const high = bits(physAddrBits, 51);
  if (mode === "PAE") {
    const all = high | bits(52, 62);
    if (level === levels) return all | NX | bits(5, 8) | bits(1, 2);
    return all | noExecute(efer) | (page && level === 2 ? bits(13, 20) : 0n);
  }
  const size = level > 3 || (level === 3 && page && !gbPages) ? PS : 0n;
  const low = page && level > 1 ? bits(13, shiftOf(fourLevel, level) - 1) : 0n;
  return high | noExecute(efer) | size | low;
}

/** NX is reserved while EFER.NXE is clear. */
function noExecute(efer: bigint): bigint {
  return (efer & EFER.NXE) === 0n ? NX : 0n;
}

/** The address bits of a page's entry; those below the page's size are for the caller to drop. */
function pageBase(entry: bigint, level: number, { entryBytes }: Paging): bigint {
  if (entryBytes === 8) return entry & TABLE_MASK;
  const low = entry & 0xffff_f000n;
  return level === 1 ? low : low | (entry >> 13n & 0xffn) << 32n;
}
