/**
 * Multiboot, version 1 (Multiboot Specification 0.6.96).
 *
 * @module
 */

import { Errno, halves, sizeOf } from "../../../ffi/mod.ts";
import { FOUR_GIB } from "../../boot/parts/mod.ts";
import { HIGH_MEMORY } from "../../firmware/mod.ts";
import type { Range } from "../../memory/mod.ts";
import { entryOf, parseElf, placeElf } from "../elf/mod.ts";
import { protectedEntry } from "../entry.ts";
import type { EntryPoint, LoadOptions } from "../options.ts";
import { InfoBlock, putModules, TextBlock } from "../parts.ts";
import { PAGE, type Plan } from "../plan.ts";
import type { ImageReader } from "../reader.ts";
import { hex } from "../text.ts";
import { findHeader, type FoundHeader, placeByAddresses, type PlacedImage } from "./header.ts";
import {
  BOOT_MAGIC,
  HeaderFlag,
  InfoFlag,
  multibootInfo,
  multibootMmapEntry,
  multibootModule,
} from "./structs.ts";

/** What the header may ask for; all else below bit 16 a loader must refuse if it does not know it. */
const KNOWN = HeaderFlag.PAGE_ALIGN | HeaderFlag.MEMORY_INFO;
const MUST_KNOW = 0xffff;

/** What the information calls the loader unless the caller says otherwise. */
const LOADER_NAME = "deno-kvm";

/**
 * Plans a Multiboot kernel: image, modules, information. Modules lie right behind the kernel, where
 * small kernels have mapped memory; always with whole pages.
 */
export function planMultiboot(plan: Plan, reader: ImageReader, options: LoadOptions): EntryPoint {
  const header = findHeader(reader.image);
  if (header === undefined) {
    const hint = "There is no Multiboot header in its first 8192 bytes, with a magic number at a " +
      "multiple of 4 and a checksum that is right";
    throw plan.error(Errno.ENOEXEC, hint);
  }
  refuseFlags(reader, header);
  const kernel = (header.flags & HeaderFlag.ADDRESSES) !== 0
    ? placeByAddresses(plan, reader, header)
    : placeProgram(plan, reader);
  if (kernel.entry >= FOUR_GIB) {
    const hint = `Multiboot enters below 4 GiB, not at ${hex(kernel.entry)}`;
    throw plan.error(Errno.ENOEXEC, hint);
  }
  const address = putInfo(plan, options, kernel.end);
  return protectedEntry(plan, kernel.entry, { rax: BigInt(BOOT_MAGIC), rbx: BigInt(address) });
}

function refuseFlags(reader: ImageReader, { offset, flags }: FoundHeader): void {
  const unknown = flags & MUST_KNOW & ~KNOWN;
  if (unknown === 0) return;
  const hint = (unknown & HeaderFlag.VIDEO_MODE) !== 0
    ? "the header asks for a video mode (flag 2), and there is no screen: print to a serial port"
    : `the header asks for what this loader does not know: flags ${hex(unknown)}`;
  throw reader.malformed(offset + 4, hint);
}

function placeProgram(plan: Plan, reader: ImageReader): PlacedImage {
  const elf = parseElf(reader);
  const placed = placeElf(plan, reader, elf);
  return { entry: entryOf(reader, elf, placed, elf.entry), end: placed.end };
}

function putInfo(plan: Plan, options: LoadOptions, kernelEnd: number): number {
  const texts = new TextBlock(plan);
  const block = new InfoBlock(plan, "Multiboot information");
  const { address, structs: [info] } = block.add(multibootInfo, 1);
  const modules = putModules(
    plan,
    options,
    (what, size) => placeModule(plan, what, size, kernelEnd),
  );
  info!.flags = InfoFlag.MEMORY | InfoFlag.CMDLINE | InfoFlag.MODS | InfoFlag.MEM_MAP |
    InfoFlag.BOOT_LOADER_NAME;
  info!.memLower = plan.conventionalMemory;
  info!.memUpper = plan.extendedMemory;
  info!.cmdline = texts.add(options.commandLine ?? "");
  info!.bootLoaderName = texts.add(options.loaderName ?? LOADER_NAME);

  const map = block.add(multibootMmapEntry, options.memoryMap.length);
  const entrySize = sizeOf(multibootMmapEntry);
  options.memoryMap.forEach(({ start, size, type }, index) => {
    const entry = map.structs[index]!;
    entry.size = entrySize - sizeOf({ size: multibootMmapEntry.size });
    [entry.addrLow, entry.addrHigh] = halves(start);
    [entry.lenLow, entry.lenHigh] = halves(size);
    entry.type = type;
  });
  info!.mmapAddr = map.address;
  info!.mmapLength = map.structs.length * entrySize;

  const list = block.add(multibootModule, modules.length);
  modules.forEach(({ range, commandLine }, index) => {
    const entry = list.structs[index]!;
    entry.modStart = range.guestPhysAddr;
    entry.modEnd = range.guestPhysAddr + range.size;
    entry.string = texts.add(commandLine ?? "");
  });
  info!.modsCount = modules.length;
  info!.modsAddr = list.address;
  block.put();
  texts.put();
  return address;
}

function placeModule(plan: Plan, what: string, size: number, kernelEnd: number): Range {
  const from = Math.max(HIGH_MEMORY, kernelEnd);
  return plan.claimLowest({ what, size, align: PAGE }, { from });
}
