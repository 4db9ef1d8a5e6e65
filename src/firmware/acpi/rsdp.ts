/**
 * The table that leads to all others, and the lists of them.
 *
 * @module
 */

import { bytesOf, from, halves, sizeOf } from "../../../ffi/mod.ts";
import { ascii, checksum, dword } from "../bytes.ts";
import { header, OEM_ID, sdtHeader, table } from "./header.ts";

/** "Root System Description Pointer" (ACPI 6.5, 5.2.5.3). */
const rsdpTable = {
  signature: "u8[8]",
  checksum: "u8",
  oemId: "u8[6]",
  revision: "u8",
  rsdtAddress: "u32",
  length: "u32",
  xsdtAddress: "u32[2]",
  extendedChecksum: "u8",
  reserved: "u8[3]",
} as const;

/** ACPI 2.0 and later: with an XSDT. */
const RSDP_REVISION = 2;

/** ACPI 1.0's RSDP has 20 bytes, with a checksum of their own. */
const FIRST_PART = 20;

/** Bytes of the RSDP. */
export const RSDP_SIZE: number = sizeOf(rsdpTable);

/** The RSDP: where the RSDT and the XSDT are. */
export function rsdp(rsdtAddress: number, xsdtAddress: number): Uint8Array<ArrayBuffer> {
  const pointer = from(rsdpTable, {
    signature: ascii("RSD PTR "),
    oemId: ascii(OEM_ID, 6),
    revision: RSDP_REVISION,
    rsdtAddress,
    length: RSDP_SIZE,
    xsdtAddress: halves(xsdtAddress),
  });
  const bytes = bytesOf(pointer);
  pointer.checksum = checksum(bytes.subarray(0, FIRST_PART));
  pointer.extendedChecksum = checksum(bytes);
  return bytes;
}

/** The RSDT (5.2.7): addresses of 32 bits, for kernels that know nothing newer. */
export function rsdt(addresses: readonly number[]): Uint8Array<ArrayBuffer> {
  return list("RSDT", addresses.flatMap(dword));
}

/** The XSDT (5.2.8): addresses of 64 bits. */
export function xsdt(addresses: readonly number[]): Uint8Array<ArrayBuffer> {
  return list("XSDT", addresses.flatMap((address) => halves(address).flatMap(dword)));
}

function list(signature: string, entries: readonly number[]): Uint8Array<ArrayBuffer> {
  return table(bytesOf(from(sdtHeader, header(signature, 1))), Uint8Array.from(entries));
}
