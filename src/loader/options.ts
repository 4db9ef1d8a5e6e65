/**
 * What is loaded, and what comes of it.
 *
 * @module
 */

import type { SegmentState } from "../arch/x86/mod.ts";
import type { GeneralRegisters } from "../boot/mod.ts";
import type { E820Entry } from "../firmware/mod.ts";
import type { Range } from "../memory/mod.ts";

/**
 * How an image is started:
 *
 * - `"linux"`: a bzImage by Linux's 64-bit boot protocol, or by the 32-bit one;
 * - `"elf"`: an ELF program at its physical addresses, RSI at Linux's zero page, as a `vmlinux` wants;
 * - `"pvh"`: an ELF program at the entry that its Xen note names, EBX at the start info;
 * - `"multiboot"`: Multiboot, version 1;
 * - `"flat16"`: bytes as they are, in real mode, as a BIOS starts a boot sector: at 0x7c00, the stack
 *   below it, DL 0x80, segments 0. There is no BIOS behind INT;
 * - `"flat32"`, `"flat64"`: bytes as they are, in protected or in long mode: at 0x100000, CS 0x10 and
 *   the other segments 0x18, the stack below 0x7000, other registers 0, SSE on, and no IDT. Long mode
 *   maps the first 4 GiB to themselves, and an image beyond them.
 */
export type Protocol = "linux" | "elf" | "pvh" | "multiboot" | "flat16" | "flat32" | "flat64";

/** Something that is loaded beside the kernel. */
export interface KernelModule {
  /** Its bytes. */
  readonly image: Uint8Array;
  /** Its own command line. */
  readonly commandLine?: string | undefined;
}

/** What {@linkcode loadKernel} is told beside the image. */
export interface LoadOptions {
  /** The machine's memory, as the kernel is told of it: 128 entries at most. */
  readonly memoryMap: readonly E820Entry[];
  /** The protocol; what {@linkcode detectProtocol} says, by default. */
  readonly protocol?: Protocol | undefined;
  /** The kernel's command line: UTF-8 without a zero. Not for flat images. */
  readonly commandLine?: string | undefined;
  /** The initial ramdisk. PVH and Multiboot have it as their first module; not for flat images. */
  readonly initrd?: Uint8Array | undefined;
  /** Modules, for PVH and Multiboot only. */
  readonly modules?: readonly KernelModule[] | undefined;
  /** Where the ACPI tables begin; Linux and PVH are told. */
  readonly rsdp?: number | undefined;
  /**
   * Where the image goes. Flat images: 0x7c00 for `"flat16"`, else 0x100000 by default. Relocatable
   * ones (a bzImage that says so, ELF of type ET_DYN) prefer an address of their own; others have a
   * fixed one, and refuse this.
   */
  readonly loadAddress?: number | undefined;
  /** The first instruction's address, for flat images and ELF; their own first one by default. */
  readonly entry?: number | undefined;
  /** What Multiboot calls the boot loader's name. */
  readonly loaderName?: string | undefined;
}

/** A range of memory that the loader filled, or set aside for the kernel. */
export interface LoadedRegion extends Range {
  /** What it holds: `"kernel"`, `"zero page"`, `"initrd"`. */
  readonly what: string;
}

/** Base and limit of a descriptor table. */
export interface TableRegister {
  /** The linear address. */
  readonly base: bigint;
  /** The last valid offset, in bytes. */
  readonly limit: number;
}

/** Segments, tables and control registers at the first instruction. */
export interface EntrySregs {
  /** CS. */
  readonly cs: SegmentState;
  /** DS. */
  readonly ds: SegmentState;
  /** ES. */
  readonly es: SegmentState;
  /** FS. */
  readonly fs: SegmentState;
  /** GS. */
  readonly gs: SegmentState;
  /** SS. */
  readonly ss: SegmentState;
  /** The task register. */
  readonly tr: SegmentState;
  /** GDTR. */
  readonly gdt: TableRegister;
  /** IDTR. */
  readonly idt: TableRegister;
  /** CR0. */
  readonly cr0: bigint;
  /** CR3: the page tables' first address, in long mode. */
  readonly cr3: bigint;
  /** CR4. */
  readonly cr4: bigint;
  /** EFER. */
  readonly efer: bigint;
}

/**
 * A vCPU's state at the kernel's first instruction: plain data, which `structuredClone` and
 * `postMessage` take.
 */
export interface EntryPoint {
  /** The mode that the processor is in. */
  readonly mode: "real" | "protected" | "long";
  /** RIP, relative to CS. */
  readonly rip: number;
  /** RSP, relative to SS. */
  readonly rsp: number;
  /** The other general registers; those left out are 0. */
  readonly registers: GeneralRegisters;
  /** Segments, tables and control registers. */
  readonly sregs: EntrySregs;
  /** The page tables, in long mode: they map each address to itself. */
  readonly pageTables: Range | undefined;
}

/** What {@linkcode loadKernel} has done. */
export interface LoadedKernel {
  /** The protocol that was used. */
  readonly protocol: Protocol;
  /** Everything that was placed, by ascending address; no two overlap. */
  readonly regions: readonly LoadedRegion[];
  /** How the first vCPU begins: for {@linkcode enterKernel}. */
  readonly entry: EntryPoint;
}
