/**
 * PVH: an ELF program that is entered in 32-bit mode where its Xen note says (Xen, misc/pvh and
 * public/arch-x86/hvm/start_info.h).
 *
 * @module
 */

import { Errno } from "../../ffi/mod.ts";
import { FOUR_GIB } from "../boot/parts/mod.ts";
import { entryOf, parseElf, placeElf, pvhEntry } from "./elf/mod.ts";
import { protectedEntry } from "./entry.ts";
import type { EntryPoint, LoadOptions } from "./options.ts";
import { InfoBlock, putModules, TextBlock } from "./parts.ts";
import { PAGE, type Plan } from "./plan.ts";
import type { ImageReader } from "./reader.ts";
import { hex } from "./text.ts";

/** `struct hvm_start_info`, version 1. */
export const hvmStartInfo = {
  /** See {@linkcode START_MAGIC}. */
  magic: "u32",
  /** 1: there is a memory map. */
  version: "u32",
  /** For Xen's own domains. */
  flags: "u32",
  /** How many modules. */
  nrModules: "u32",
  /** Their list's address. */
  modlistPaddr: "gpa",
  /** The command line's address. */
  cmdlinePaddr: "gpa",
  /** The RSDP's address, 0 if there is none. */
  rsdpPaddr: "gpa",
  /** The memory map's address. */
  memmapPaddr: "gpa",
  /** And how many entries it has. */
  memmapEntries: "u32",
  /** 0. */
  reserved: "u32",
} as const;

/** `struct hvm_modlist_entry`. */
export const hvmModlistEntry = {
  /** The module's address. */
  paddr: "gpa",
  /** Its bytes. */
  size: "gpa",
  /** Its command line's address, 0 if it has none. */
  cmdlinePaddr: "gpa",
  /** 0. */
  reserved: "u64",
} as const;

/** `struct hvm_memmap_table_entry`. */
export const hvmMemmapTableEntry = {
  /** The first address. */
  addr: "gpa",
  /** Bytes. */
  size: "gpa",
  /** As in an e820 entry. */
  type: "u32",
  /** 0. */
  reserved: "u32",
} as const;

/** `XEN_HVM_START_MAGIC_VALUE`. */
export const START_MAGIC = 0x336e_c578;

/** The task register's limit that the ABI asks for. */
const TSS_LIMIT = 0x67;

/** Plans an ELF program with a PVH entry: segments, start info, command lines, modules. */
export function planPvh(plan: Plan, reader: ImageReader, options: LoadOptions): EntryPoint {
  const elf = parseElf(reader);
  const note = pvhEntry(reader, elf);
  if (note === undefined) {
    const hint = `It has no note XEN_ELFNOTE_PHYS32_ENTRY: build Linux with CONFIG_PVH, or load ` +
      `it as "elf"`;
    throw plan.error(Errno.ENOEXEC, hint);
  }
  const placed = placeElf(plan, reader, elf);
  const entry = entryOf(reader, elf, placed, BigInt(note));
  if (entry >= FOUR_GIB) {
    throw plan.error(Errno.ENOEXEC, `PVH enters below 4 GiB, not at ${hex(entry)}`);
  }

  const texts = new TextBlock(plan);
  const info = new InfoBlock(plan, "start info");
  const { address, structs: [start] } = info.add(hvmStartInfo, 1);
  const commandLine = texts.add(options.commandLine ?? "");
  const modules = putModules(
    plan,
    options,
    (what, size) => plan.claimHighest({ what, size, align: PAGE }),
  );
  const map = info.add(hvmMemmapTableEntry, options.memoryMap.length);
  options.memoryMap.forEach(({ start, size, type }, index) => {
    const entry = map.structs[index]!;
    entry.addr = start;
    entry.size = size;
    entry.type = type;
  });
  const list = info.add(hvmModlistEntry, modules.length);
  modules.forEach(({ range, commandLine }, index) => {
    const entry = list.structs[index]!;
    entry.paddr = range.guestPhysAddr;
    entry.size = range.size;
    entry.cmdlinePaddr = commandLine === undefined ? 0 : texts.add(commandLine);
  });
  start!.magic = START_MAGIC;
  start!.version = 1;
  start!.nrModules = modules.length;
  start!.modlistPaddr = modules.length === 0 ? 0 : list.address;
  start!.cmdlinePaddr = commandLine;
  start!.rsdpPaddr = options.rsdp ?? 0;
  start!.memmapPaddr = map.address;
  start!.memmapEntries = map.structs.length;
  info.put();
  texts.put();
  return protectedEntry(plan, entry, { rbx: BigInt(address) }, { tssLimit: TSS_LIMIT });
}
