/**
 * What every ACPI table begins with (ACPI 6.5, 5.2.6 "System Description Table Header").
 *
 * @module
 */

import { type StructInit, view } from "../../../ffi/mod.ts";
import { ascii, checksum, concat } from "../bytes.ts";

/** The OEM's id, of 6 characters. */
export const OEM_ID = "DENKVM";

/** The OEM's name for its tables, of 8 characters: the same in all of them. */
const OEM_TABLE_ID = "DENOKVM";

/** Who made the tables, of 4 characters. */
const CREATOR_ID = "DENO";

/** The header of a table. */
export const sdtHeader = {
  signature: "u8[4]",
  length: "u32",
  revision: "u8",
  checksum: "u8",
  oemId: "u8[6]",
  oemTableId: "u8[8]",
  oemRevision: "u32",
  creatorId: "u8[4]",
  creatorRevision: "u32",
} as const;

/** A header's fields, those that depend on the table's bytes apart. */
export function header(signature: string, revision: number): StructInit<typeof sdtHeader> {
  return {
    signature: ascii(signature, 4),
    revision,
    oemId: ascii(OEM_ID, 6),
    oemTableId: ascii(OEM_TABLE_ID, 8),
    oemRevision: 1,
    creatorId: ascii(CREATOR_ID, 4),
    creatorRevision: 1,
  };
}

/** A table of a fixed part, which begins with its header, and what follows: length and checksum. */
export function table(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = concat(...parts);
  const start = view(sdtHeader, bytes.buffer);
  start.length = bytes.length;
  start.checksum = 0;
  start.checksum = checksum(bytes);
  return bytes;
}
