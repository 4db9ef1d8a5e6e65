/**
 * The Xen note that says where PVH enters (Xen, public/elfnote.h).
 *
 * @module
 */

import { sizeOf } from "../../../ffi/mod.ts";
import type { ImageReader } from "../reader.ts";
import { roundUp } from "../../boot/parts/mod.ts";
import { elfNhdr } from "./headers.ts";
import type { ElfImage } from "./parse.ts";

/** Its descriptor is the physical address of the entry, in 4 or 8 bytes. */
const XEN_ELFNOTE_PHYS32_ENTRY = 18;
const narrow = { entry: "u32" } as const;
const wide = { entry: "u64" } as const;
const XEN = [0x58, 0x65, 0x6e, 0];

/** A kernel's notes are some hundred bytes: bounds the work on a hostile one. */
const NOTES_MAX = 65_536;

/**
 * The entry for PVH: undefined if the file names none.
 *
 * @throws {KvmError} ENOEXEC for notes that can't be.
 */
export function pvhEntry(reader: ImageReader, { notes }: ElfImage): number | undefined {
  const { image } = reader;
  let left = NOTES_MAX;
  for (const { offset, size, align } of notes) {
    left -= size;
    if (left < 0) throw reader.malformed(offset, `its notes have more than ${NOTES_MAX} bytes`);
    const end = offset + size;
    for (let at = offset; at + sizeOf(elfNhdr) <= end;) {
      const { namesz, descsz, type } = reader.struct(elfNhdr, at, "a note");
      const name = at + sizeOf(elfNhdr);
      // Padding counts from where the notes begin, which is aligned in memory.
      const descriptor = offset + roundUp(name + namesz - offset, align);
      if (descriptor + descsz > end) throw reader.malformed(at, "a note ends behind all notes");
      const isXen = namesz === XEN.length &&
        XEN.every((byte, place) => image[name + place] === byte);
      if (isXen && type === XEN_ELFNOTE_PHYS32_ENTRY) {
        if (descsz !== 4 && descsz !== 8) {
          throw reader.malformed(at, `the PVH entry has 4 or 8 bytes, not ${descsz}`);
        }
        const { entry } = descsz === 4
          ? reader.struct(narrow, descriptor, "the PVH entry")
          : reader.struct(wide, descriptor, "the PVH entry");
        return reader.exact(BigInt(entry), descriptor, "the PVH entry");
      }
      at = offset + roundUp(descriptor + descsz - offset, align);
    }
  }
  return undefined;
}
