/**
 * Finds Multiboot's header, and places an image by its address fields.
 *
 * @module
 */

import { Errno, sizeOf } from "../../../ffi/mod.ts";
import type { Plan } from "../plan.ts";
import type { ImageReader } from "../reader.ts";
import { hex } from "../text.ts";
import { HEADER_MAGIC, multibootAddresses, multibootHeader } from "./structs.ts";

/** A header that was found. */
export interface FoundHeader {
  /** Its offset in the image. */
  readonly offset: number;
  /** Its flags. */
  readonly flags: number;
}

/** The header lies in so many bytes (3.1.1 "The layout of Multiboot header"). */
const SEARCHED = 8192;

/** The header of an image; undefined if it has none. */
export function findHeader(image: Uint8Array): FoundHeader | undefined {
  const size = sizeOf(multibootHeader);
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const end = Math.min(image.length, SEARCHED) - size;
  for (let offset = 0; offset <= end; offset += 4) {
    if (view.getUint32(offset, true) !== HEADER_MAGIC) continue;
    const flags = view.getUint32(offset + 4, true);
    const checksum = view.getUint32(offset + 8, true);
    if ((HEADER_MAGIC + flags + checksum) % 2 ** 32 === 0) return { offset, flags };
  }
  return undefined;
}

/** An image that was placed. */
export interface PlacedImage {
  /** The first instruction's address. */
  readonly entry: number;
  /** The first address behind the image and its zeroes. */
  readonly end: number;
}

/** Places an image by the address fields (3.1.3 "The address fields of Multiboot header"). */
export function placeByAddresses(
  plan: Plan,
  reader: ImageReader,
  { offset }: FoundHeader,
): PlacedImage {
  const at = offset + sizeOf(multibootHeader);
  const fields = reader.struct(multibootAddresses, at, "Multiboot's address fields");
  const { headerAddr, loadAddr, loadEndAddr, bssEndAddr, entryAddr } = fields;
  const ahead = headerAddr - loadAddr;
  if (ahead < 0 || ahead > offset) {
    const hint = `load_addr, ${hex(loadAddr)}, is at most header_addr, ${hex(headerAddr)}, and ` +
      `at least header_addr less ${hex(offset)}, the bytes before the header`;
    throw reader.malformed(at, hint);
  }
  const start = offset - ahead;
  const loadEnd = loadEndAddr === 0 ? loadAddr + reader.image.length - start : loadEndAddr;
  if (loadEnd <= headerAddr) {
    throw reader.malformed(at, `load_end_addr, ${hex(loadEnd)}, is not behind header_addr`);
  }
  reader.need(start, loadEnd - loadAddr, "what is loaded up to load_end_addr");
  const end = bssEndAddr === 0 ? loadEnd : bssEndAddr;
  if (end < loadEnd) {
    throw reader.malformed(
      at,
      `bss_end_addr, ${hex(end)}, is below load_end_addr, ${hex(loadEnd)}`,
    );
  }
  if (entryAddr < loadAddr || entryAddr >= end) {
    const hint = `The entry, ${hex(entryAddr)}, is not in the image, ${hex(loadAddr)} to ${
      hex(end)
    }`;
    throw reader.error(Errno.ENOEXEC, hint);
  }
  const bytes = reader.image.subarray(start, start + loadEnd - loadAddr);
  plan.put("image", loadAddr, bytes, end - loadAddr);
  return { entry: entryAddr, end };
}
