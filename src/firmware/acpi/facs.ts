/**
 * The "Firmware ACPI Control Structure" (ACPI 6.5, 5.2.10): memory that kernel and firmware share,
 * for the lock between them and for waking up.
 *
 * @module
 */

import { bytesOf, from, sizeOf } from "../../../ffi/mod.ts";
import { ascii } from "../bytes.ts";

const facsTable = {
  signature: "u8[4]",
  length: "u32",
  hardwareSignature: "u32",
  firmwareWakingVector: "u32",
  globalLock: "u32",
  flags: "u32",
  xFirmwareWakingVector: "gpa",
  version: "u8",
  reserved: "u8[3]",
  ospmFlags: "u32",
  reserved2: "u8[24]",
} as const;

/** What the address of a FACS is a multiple of. */
export const FACS_ALIGN = 64;

const VERSION = 2;

/** A FACS: nothing waits to be woken, and the lock is free. It has no checksum. */
export function facs(): Uint8Array<ArrayBuffer> {
  const length = sizeOf(facsTable);
  return bytesOf(from(facsTable, { signature: ascii("FACS"), length, version: VERSION }));
}
