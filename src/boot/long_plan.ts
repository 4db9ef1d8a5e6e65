/**
 * Where the structures of a long-mode guest go.
 *
 * ```text
 * 0x1000   code
 *          ...
 *          stack         1 KiB, and what is free below it
 *          GDT           null, code, data, user data, user code, TSS
 *          exceptions    system stack, handlers, TSS, IDT, if wanted
 * the top  page tables
 * ```
 *
 * At level 3 everything above the stack is one block of pages that are the supervisor's alone.
 *
 * @module
 */

import { Errno, KvmError, type Names, show } from "../../ffi/mod.ts";
import { CANONICAL_END, IdentityMap, PAGE_BYTES, PageEntry, TABLE_BYTES } from "../arch/x86/mod.ts";
import type { GuestMemory, MemorySlot, Range } from "../memory/mod.ts";
import { checkOptions, checkRegisters } from "./enter.ts";
import {
  checkIdt,
  type ExceptionLayout,
  exceptionLayout,
  exceptionWants,
  type IdtOptions,
} from "./exceptions.ts";
import { FOUR_GIB } from "./flat.ts";
import { checkEntry, codeRange } from "./image.ts";
import { BOOT_OPTIONS, type BootOptions } from "./options.ts";
import { endOf, type Reach, roundUp, slotsOf, Space, type Want } from "./place.ts";
import { givenStack, stackWant } from "./stack.ts";

/** What {@linkcode longMode} starts. */
export interface LongModeOptions extends BootOptions {
  /**
   * The size of the pages. `"1G"` needs a processor that has them and a vCPU whose CPUID says so
   * (leaf 0x80000001, EDX bit 26): without, the first instruction is a triple fault.
   */
  readonly pageSize?: "2M" | "1G" | undefined;
  /**
   * Bytes to map from address 0, a multiple of the page size up to 2^47; the guest reaches nothing
   * else. By default 4 GiB, and memory further up.
   */
  readonly map?: number | undefined;
  /**
   * The privilege level. At 3, page tables and descriptors are out of the guest's reach; HLT, IN and
   * OUT work (string I/O only where the backend heeds IOPL); exceptions are reported, unless `idt`
   * is false. After HLT the vCPU is at level 0, in the handler that halts for the guest, and goes on
   * at level 3 from there: to start other code, set CS and SS as well as RIP, or call this again. With
   * kvm_pvm, SYSCALL is none: without EFER.SCE, too, it goes on at the address in LSTAR, which is 0
   * unless set, and at level 3.
   */
  readonly cpl?: 0 | 3 | undefined;
  /**
   * Report exceptions, for {@linkcode readException}. Without, an exception is a triple fault, and
   * that is a `"shutdown"` exit. By default at level 3 only.
   */
  readonly idt?: boolean | IdtOptions | undefined;
}

/** Where everything goes. */
export interface LongModePlan {
  /** The code. */
  readonly code: Range;
  /** The first instruction. */
  readonly entry: number;
  /** The first address above the stack. */
  readonly stack: number;
  /** The GDT. */
  readonly gdt: Range;
  /** The page tables' place. */
  readonly pageTables: Range;
  /** The page tables. */
  readonly tables: IdentityMap;
  /** IDT, TSS and what belongs to them. */
  readonly exceptions: ExceptionLayout | undefined;
  /** How exceptions are handled. */
  readonly idt: IdtOptions;
  /** All of these places. */
  readonly reserved: readonly Range[];
}

/** Bytes of the GDT: six descriptors, of which the TSS's takes two places. */
export const GDT_BYTES = 56;

/** The System V ABI wants the stack so at the start of a program (AMD64 supplement, 3.4.1). */
const STACK_ALIGN = 16;
/** No structure but the page tables has a larger alignment. */
const LARGEST_ALIGN = 64;
const { RW, US } = PageEntry;
const OPTIONS: Names<LongModeOptions> = {
  ...BOOT_OPTIONS,
  pageSize: true,
  map: true,
  cpl: true,
  idt: true,
};

/** Checks everything and finds room; writes nothing. */
export function planLongMode(
  operation: string,
  memory: MemorySlot | GuestMemory,
  options: LongModeOptions,
): LongModePlan {
  checkOptions(operation, options, OPTIONS);
  const { cpl = 0, pageSize = "2M", map, idt: idtOption = cpl === 3 } = options;
  checkPaging(operation, options);
  checkRegisters(operation, options.registers);
  const idt = typeof idtOption === "boolean" ? {} : idtOption;
  checkIdt(operation, idt);
  const reach = { limit: map ?? CANONICAL_END, prefer: FOUR_GIB };
  const code = codeRange(operation, memory, options, reach.limit);
  const { entry = code.guestPhysAddr } = options;
  checkEntry(operation, entry, code);

  const space = Space.of(memory, reach);
  space.exclude(code);
  options.avoid?.forEach((other) => space.exclude(other));
  const given = givenStack(operation, space, options.stack, STACK_ALIGN);
  const stackWants = given === undefined ? [stackWant(STACK_ALIGN)] : [];

  const tables = new IdentityMap(pageSize);
  const ranges = map === undefined ? defaultMap(memory, pageSize) : [{ start: 0, end: map }];
  for (const { start, end } of ranges) tables.add(start, end, RW | US);
  const wants = [
    ...(idtOption === false ? [] : exceptionWants(idt)),
    { what: "the GDT", size: GDT_BYTES, align: 8 },
  ];
  const place = cpl === 3 ? placeProtected : placeOpen;
  const { system, claimed } = place({
    operation,
    space,
    reach,
    tables,
    pageSize,
    wants,
    stackWants,
  });
  const stack = given ?? claimed.at(-1)!;
  return {
    code,
    entry,
    stack: endOf(stack),
    gdt: system.at(-1)!,
    pageTables: { guestPhysAddr: system[0]!.guestPhysAddr, size: tables.size },
    tables,
    exceptions: idtOption === false ? undefined : exceptionLayout(system.slice(1)),
    idt,
    reserved: given === undefined ? [code, ...claimed] : [code, given, ...claimed],
  };
}

interface Task {
  readonly operation: string;
  readonly space: Space;
  readonly reach: Reach;
  readonly tables: IdentityMap;
  readonly pageSize: "2M" | "1G";
  /** What the guest's level 0 needs beside the page tables. */
  readonly wants: readonly Want[];
  /** The stack, or nothing if the caller gave one. */
  readonly stackWants: readonly Want[];
}

interface Places {
  /** The page tables, then what was wanted. */
  readonly system: readonly Range[];
  /** What is taken from free memory; a chosen stack is the last. */
  readonly claimed: readonly Range[];
}

/** For a guest at level 0, which may do all it likes. */
function placeOpen({ operation, space, tables, wants, stackWants }: Task): Places {
  const claimed = space.place(operation, [tablesWant(tables.size), ...wants, ...stackWants]);
  return { system: claimed.slice(0, 1 + wants.length), claimed };
}

/** For a guest at level 3: one block of pages, and the tables forbid them to it. */
function placeProtected(
  { operation, space, reach, tables, pageSize, wants, stackWants }: Task,
): Places {
  // Each end of the block may split a page, which takes a table for each smaller size.
  const splits = 2 * TABLE_BYTES * (pageSize === "1G" ? 2 : 1);
  const inner = [tablesWant(tables.size + splits), ...wants];
  const bytes = inner.reduce((sum, { size }) => sum + roundUp(size, LARGEST_ALIGN), 0);
  const blockWant = {
    what: "page tables, descriptors and handlers",
    size: roundUp(bytes, TABLE_BYTES),
    align: TABLE_BYTES,
  };
  const claimed = space.place(operation, [blockWant, ...stackWants]);
  const block = claimed[0]!;
  tables.add(block.guestPhysAddr, endOf(block), RW);
  return { system: new Space([block], reach).place(operation, inner), claimed };
}

function tablesWant(size: number): Want {
  return { what: "page tables", size, align: TABLE_BYTES };
}

/** 4 GiB, where devices are, too; and all memory above. */
function defaultMap(
  memory: MemorySlot | GuestMemory,
  pageSize: "2M" | "1G",
): { start: number; end: number }[] {
  const page = PAGE_BYTES[pageSize];
  const above = slotsOf(memory).map(({ guestPhysAddr, end }) => ({
    start: Math.max(FOUR_GIB, Math.floor(guestPhysAddr / page) * page),
    end: Math.min(CANONICAL_END, roundUp(end, page)),
  }));
  return [{ start: 0, end: FOUR_GIB }, ...above.filter(({ start, end }) => start < end)];
}

function checkPaging(operation: string, options: LongModeOptions): void {
  const { pageSize = "2M", map, cpl = 0 } = options;
  const invalid = (hint: string) => new KvmError({ operation, errno: Errno.EINVAL, hint });
  if (pageSize !== "2M" && pageSize !== "1G") throw invalid('pageSize is "2M" or "1G"');
  if (cpl !== 0 && cpl !== 3) throw invalid(`cpl is 0 or 3, not ${show(cpl)}`);
  if (map === undefined) return;
  const page = PAGE_BYTES[pageSize];
  if (!(Number.isSafeInteger(map) && map > 0 && map <= CANONICAL_END && map % page === 0)) {
    throw invalid(`map is a multiple of the page size, ${page}, up to 2^47, not ${show(map)}`);
  }
}
