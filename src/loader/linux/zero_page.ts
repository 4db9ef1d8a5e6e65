/**
 * Fills Linux's zero page.
 *
 * @module
 */

import { bytesOf, create, halves } from "../../../ffi/mod.ts";
import { ZERO_PAGE } from "../../firmware/mod.ts";
import type { Range } from "../../memory/mod.ts";
import type { LoadOptions } from "../options.ts";
import type { Plan } from "../plan.ts";
import { BOOT_FLAG, bootParams, HDRS, LOADER_UNDEFINED, LoadFlags } from "./boot_params.ts";

/** Where the header begins, in the image as in the zero page. */
export const HEADER_START = 0x1f1;
/** What comes behind the longest header. */
export const HEADER_END = 0x290;

/** The alignment that kernels are built with most often; a `vmlinux` does not say it. */
const ELF_ALIGNMENT = 0x100_0000;
/** Protocol 2.12: all that is set here is known to it. */
const ELF_VERSION = 0x020c;
/** The real-mode heap's end in x86/boot.rst's example; 32-bit and 64-bit entries have no use for it. */
const HEAP_END = 0xe000 - 0x200;
/** `vga=normal`. */
const VIDEO_NORMAL = 0xffff;
/** The largest number of KiB that a PC's BIOS says by this call; 64 MiB. */
const EXT_MEM_MAX = 0xfc00;

/** What the zero page speaks of. */
export interface LinuxParts {
  /** The command line, zero included. */
  readonly commandLine: Range;
  /** The initial ramdisk. */
  readonly initrd: Range | undefined;
  /** The setup header of a bzImage: from 0x1f1 to where it ends. */
  readonly header?: Uint8Array | undefined;
  /** Where a bzImage was loaded. */
  readonly loadAddress?: number | undefined;
}

/**
 * Claims the zero page and has it filled.
 *
 * @returns Its address.
 */
export function putZeroPage(plan: Plan, options: LoadOptions, parts: LinuxParts): number {
  const { commandLine, initrd, header, loadAddress } = parts;
  const params = create(bootParams);
  const { hdr } = params;
  if (header === undefined) {
    hdr.bootFlag = BOOT_FLAG;
    hdr.header.set(new TextEncoder().encode(HDRS));
    hdr.version = ELF_VERSION;
    hdr.kernelAlignment = ELF_ALIGNMENT;
    hdr.cmdlineSize = commandLine.size - 1;
    hdr.loadflags = LoadFlags.LOADED_HIGH;
  } else {
    bytesOf(params).set(header, HEADER_START);
  }
  hdr.typeOfLoader = LOADER_UNDEFINED;
  hdr.loadflags |= LoadFlags.CAN_USE_HEAP;
  hdr.heapEndPtr = HEAP_END;
  hdr.vidMode = VIDEO_NORMAL;
  if (loadAddress !== undefined) hdr.code32Start = loadAddress;
  [hdr.cmdLinePtr, params.extCmdLinePtr] = halves(commandLine.guestPhysAddr);
  [hdr.ramdiskImage, params.extRamdiskImage] = halves(initrd?.guestPhysAddr ?? 0);
  [hdr.ramdiskSize, params.extRamdiskSize] = halves(initrd?.size ?? 0);
  params.acpiRsdpAddr = BigInt(options.rsdp ?? 0);
  params.altMemK = plan.extendedMemory;
  params.extMemK = Math.min(plan.extendedMemory, EXT_MEM_MAX);
  params.e820Entries = options.memoryMap.length;
  options.memoryMap.forEach(({ start, size, type }, index) => {
    const entry = params.e820Table[index]!;
    [entry.addrLow, entry.addrHigh] = halves(start);
    [entry.sizeLow, entry.sizeHigh] = halves(size);
    entry.type = type;
  });
  return plan.put("zero page", ZERO_PAGE, bytesOf(params)).guestPhysAddr;
}
