/**
 * Linux's bzImage: the setup header, checked (x86/boot.rst, "Details of Header Fields").
 *
 * ```
 * 0                    sector 0; from 0x1f1 on the setup header
 * 0x200                the rest of the real-mode code, setup_sects sectors
 * (1 + setup_sects)
 *          * 0x200     the protected-mode code, syssize * 16 bytes: 32-bit entry,
 *                      64-bit entry 0x200 further on, the compressed kernel
 * ```
 *
 * @module
 */

import type { StructOf } from "../../../ffi/mod.ts";
import type { ImageReader } from "../reader.ts";
import { hex } from "../text.ts";
import { BOOT_FLAG, HDRS, LoadFlags, setupHeader, XLoadFlags } from "./boot_params.ts";
import { HEADER_END, HEADER_START } from "./zero_page.ts";

/** What a bzImage says of itself. */
export interface BzImage {
  /** The setup header's bytes, from 0x1f1 on. */
  readonly header: Uint8Array;
  /** The protected-mode code. */
  readonly code: Uint8Array;
  /** Whether it has a 64-bit entry. */
  readonly entry64: boolean;
  /** Whether it may be loaded elsewhere than to 1 MiB. */
  readonly relocatable: boolean;
  /** What its address is a multiple of then. */
  readonly alignment: number;
  /** Where it wants to run; 0 says nothing. */
  readonly preferred: number;
  /** Bytes that it needs from where it runs. */
  readonly initSize: number;
  /** The first address that the initial ramdisk may not reach. */
  readonly initrdEnd: number;
  /** The longest command line, without its zero. */
  readonly commandLineMax: number;
}

/** The table begins one byte before the header. */
const TABLE_START = HEADER_START - 1;
const SECTOR = 512;
/** Behind the jump, from where its length counts. */
const AFTER_JUMP = 0x202;
const VERSION_206 = 0x0206;
const VERSION_210 = 0x020a;
const VERSION_212 = 0x020c;

/** The first byte behind the last field of interest, by protocol version. */
const ends: readonly (readonly [version: number, end: number])[] = [
  [VERSION_206, 0x23c],
  [VERSION_210, 0x264],
];

/** Whether an image has Linux's header: its magic, whatever else. */
export function isBzImage(image: Uint8Array): boolean {
  return [...HDRS].every((char, index) => image[AFTER_JUMP + index] === char.charCodeAt(0));
}

/**
 * Reads the setup header.
 *
 * @throws {KvmError} ENOEXEC for what is no bzImage of protocol 2.06 or newer.
 */
export function parseBzImage(reader: ImageReader): BzImage {
  const { image } = reader;
  reader.need(0, 2 * SECTOR, "Linux's setup code");
  if (!isBzImage(image)) throw reader.malformed(AFTER_JUMP, `Linux's header has "${HDRS}" here`);
  const hdr = reader.struct(setupHeader, TABLE_START, "Linux's header");
  if (hdr.bootFlag !== BOOT_FLAG) {
    throw reader.malformed(
      0x1fe,
      `a boot sector ends in ${hex(BOOT_FLAG)}, not ${hex(hdr.bootFlag)}`,
    );
  }
  const { version } = hdr;
  if (version < VERSION_206) {
    const hint = `boot protocol ${hex(version)} is older than 0x206, that of Linux 2.6.22`;
    throw reader.malformed(0x206, hint);
  }
  const headerEnd = AFTER_JUMP + (hdr.jump >> 8);
  const least = ends.findLast(([since]) => version >= since)![1];
  if (headerEnd < least || headerEnd > HEADER_END) {
    const hint = `the header ends at ${hex(headerEnd)}; of protocol ${hex(version)} it ends ` +
      `between ${hex(least)} and ${hex(HEADER_END)}`;
    throw reader.malformed(0x201, hint);
  }
  if ((hdr.loadflags & LoadFlags.LOADED_HIGH) === 0) {
    throw reader.malformed(0x211, "this is a zImage, which is loaded low: build a bzImage");
  }
  const since210 = version >= VERSION_210;
  const code = codeOf(reader, hdr);
  const entry64 = version >= VERSION_212 && (hdr.xloadflags & XLoadFlags.KERNEL_64) !== 0;
  if (entry64 && code.length <= ENTRY_64) {
    throw reader.malformed(0x1f4, "the code ends before its 64-bit entry, at 0x200");
  }
  return {
    header: image.subarray(HEADER_START, headerEnd),
    code,
    entry64,
    relocatable: hdr.relocatableKernel !== 0,
    alignment: alignmentOf(reader, hdr),
    preferred: since210 ? reader.exact(hdr.prefAddress, 0x258, "pref_address") : 0,
    initSize: since210 ? hdr.initSize : 0,
    initrdEnd: hdr.initrdAddrMax + 1,
    commandLineMax: hdr.cmdlineSize,
  };
}

/** The 64-bit entry's distance from the 32-bit one, where the code begins. */
export const ENTRY_64 = 0x200;

/** What lies behind it, a signature most often, is not the kernel's. */
function codeOf(reader: ImageReader, hdr: StructOf<typeof setupHeader>): Uint8Array {
  const { image } = reader;
  const start = (1 + (hdr.setupSects || 4)) * SECTOR;
  const size = hdr.syssize * 16;
  if (size === 0) throw reader.malformed(0x1f4, "syssize is 0: there is no protected-mode code");
  // The size is rounded up to 16, the file not always.
  reader.need(start, Math.max(1, size - 15), "the protected-mode code");
  return image.subarray(start, Math.min(start + size, image.length));
}

function alignmentOf(reader: ImageReader, hdr: StructOf<typeof setupHeader>): number {
  const { kernelAlignment, relocatableKernel } = hdr;
  if (relocatableKernel === 0) return 1;
  const powerOfTwo = kernelAlignment !== 0 && Number.isInteger(Math.log2(kernelAlignment));
  if (powerOfTwo) return kernelAlignment;
  throw reader.malformed(0x230, `kernel_alignment, ${hex(kernelAlignment)}, is no power of two`);
}
