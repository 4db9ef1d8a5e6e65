/**
 * What the two 32-bit modes have in common: one flat code and one flat data segment (SDM volume 3,
 * "Basic Flat Model").
 *
 * @module
 */

import type { StructInit } from "../../ffi/mod.ts";
import type { kvmSregs } from "../../ffi/uapi/mod.ts";
import {
  codeSegment32,
  CR0,
  CR4,
  dataSegment,
  encodeDescriptor,
  type SegmentState,
  selector,
  taskRegister,
} from "../arch/x86/mod.ts";
import type { GuestMemory, MemorySlot, Range } from "../memory/mod.ts";
import { checkOptions, checkRegisters } from "./enter.ts";
import { checkEntry, codeRange } from "./image.ts";
import { type Boot, BOOT_OPTIONS, type BootOptions } from "./options.ts";
import { endOf, Space, type Want } from "./place.ts";
import { givenStack, stackWant } from "./stack.ts";

/** 32-bit code reaches no further; page tables and descriptors below it serve every mode. */
export const FOUR_GIB: number = 2 ** 32;

/** CR0 with protection: the FPU and SSE work, and their errors come as exceptions. */
export const PROTECTED_CR0: bigint = CR0.PE | CR0.MP | CR0.ET | CR0.NE | CR0.WP;

/** CR4 with protection: SSE works. */
export const PROTECTED_CR4: bigint = CR4.OSFXSR | CR4.OSXMMEXCPT;

/**
 * TR's limit where there is no TSS: what the processor has after a reset (SDM volume 3, "Processor State
 * After Reset").
 */
export const NO_TSS_LIMIT = 0xffff;

/** Selectors in the GDT of the 32-bit modes. */
export const FlatSelector: Readonly<Record<"CODE" | "DATA", number>> = {
  /** Flat code. */
  CODE: selector(1),
  /** Flat data and stack. */
  DATA: selector(2),
};

/** Pushes of 32 bits stay aligned. */
const STACK_ALIGN = 4;
const code = codeSegment32(FlatSelector.CODE);
const data = dataSegment(FlatSelector.DATA);
const gdtBytes = encodeTable([code, data].map(encodeDescriptor));
const gdtWant: Want = { what: "the GDT", size: gdtBytes.length, align: 8 };

/** What a 32-bit mode's start has put where. */
export interface FlatBoot extends Boot {
  /** The GDT: null, code, data. */
  readonly gdt: Range;
}

/** Checks everything and finds room; writes nothing. */
export function planFlat(
  operation: string,
  memory: MemorySlot | GuestMemory,
  options: BootOptions,
  wants: readonly Want[] = [],
): { boot: FlatBoot; places: readonly Range[] } {
  checkOptions(operation, options, BOOT_OPTIONS);
  checkRegisters(operation, options.registers);
  const range = codeRange(operation, memory, options, FOUR_GIB);
  const { entry = range.guestPhysAddr } = options;
  checkEntry(operation, entry, range);

  const space = Space.of(memory, { limit: FOUR_GIB, prefer: FOUR_GIB });
  space.exclude(range);
  options.avoid?.forEach((other) => space.exclude(other));
  const given = givenStack(operation, space, options.stack, STACK_ALIGN);
  const stackWants = given === undefined ? [stackWant(STACK_ALIGN)] : [];
  const places = space.place(operation, [...wants, gdtWant, ...stackWants]);
  const stack = endOf(given ?? places.at(-1)!);
  const reserved = given === undefined ? [range, ...places] : [range, given, ...places];
  return { boot: { code: range, entry, stack, gdt: places[wants.length]!, reserved }, places };
}

/** Writes the code and the GDT. */
export function writeFlat(
  memory: MemorySlot | GuestMemory,
  options: BootOptions,
  boot: FlatBoot,
): void {
  memory.writeBytes(boot.code.guestPhysAddr, options.code);
  memory.writeBytes(boot.gdt.guestPhysAddr, gdtBytes);
}

/** Segments and tables for flat 32-bit code. Without an IDT, an exception ends in shutdown. */
export function flatSregs({ gdt }: FlatBoot): StructInit<typeof kvmSregs> {
  return {
    ...segments(code, data),
    tr: taskRegister(0, 0, NO_TSS_LIMIT),
    gdt: { base: BigInt(gdt.guestPhysAddr), limit: gdt.size - 1 },
    idt: { base: 0n, limit: 0 },
    efer: 0n,
  };
}

/** One segment for code and one for everything else. */
export function segments(
  code: SegmentState,
  data: SegmentState,
): Pick<StructInit<typeof kvmSregs>, "cs" | "ds" | "es" | "fs" | "gs" | "ss"> {
  return { cs: code, ds: data, es: data, fs: data, gs: data, ss: data };
}

/** The bytes of a table of 8-byte descriptors, after the null descriptor. */
export function encodeTable(descriptors: readonly bigint[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(BigUint64Array.of(0n, ...descriptors).buffer);
}
