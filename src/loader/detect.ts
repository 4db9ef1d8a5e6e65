/**
 * Which protocol an image is made for.
 *
 * @module
 */

import { Errno, KvmError } from "../../ffi/mod.ts";
import { isElf, parseElf, pvhEntry } from "./elf/mod.ts";
import { isBzImage } from "./linux/mod.ts";
import { findHeader } from "./multiboot/mod.ts";
import type { Protocol } from "./options.ts";
import { ImageReader } from "./reader.ts";

/** All protocols. */
export const protocols: readonly Protocol[] = [
  "linux",
  "elf",
  "pvh",
  "multiboot",
  "flat16",
  "flat32",
  "flat64",
];

const OPERATION = "tell how to load the image";

/** A boot sector's last two bytes. */
const SECTOR = 512;
const SIGNATURE = [0x55, 0xaa];

/** Whether a value is a protocol's name. */
export function isProtocol(value: unknown): value is Protocol {
  return protocols.some((protocol) => protocol === value);
}

/**
 * The protocol by which an image is loaded unless the caller says otherwise. The first that fits:
 *
 * 1. `"linux"`: "HdrS" at 0x202.
 * 2. `"multiboot"`: a Multiboot header with its checksum, in the first 8192 bytes.
 * 3. `"pvh"`: an ELF file with the note XEN_ELFNOTE_PHYS32_ENTRY.
 * 4. `"elf"`: any other ELF file.
 * 5. `"flat16"`: a boot sector, 0x55 0xaa at 510.
 *
 * The order is QEMU's. As with QEMU and Firecracker, a `vmlinux` with a PVH entry is entered there;
 * `protocol: "elf"` enters it in 64-bit mode.
 *
 * @throws {KvmError} ENOEXEC if none fits, EINVAL for what is no Uint8Array.
 *
 * @example
 * ```ts
 * import { detectProtocol } from "@deno-kvm/kvm/loader";
 *
 * const bootSector = new Uint8Array(512);
 * bootSector.set([0x55, 0xaa], 510);
 * console.log(detectProtocol(bootSector)); // "flat16"
 * ```
 */
export function detectProtocol(image: Uint8Array): Protocol {
  if (!(image instanceof Uint8Array)) {
    const hint = "The image is a Uint8Array";
    throw new KvmError({ operation: OPERATION, errno: Errno.EINVAL, hint });
  }
  if (image.length === 0) {
    throw new KvmError({ operation: OPERATION, errno: Errno.ENOEXEC, hint: "The image is empty" });
  }
  if (isBzImage(image)) return "linux";
  if (findHeader(image) !== undefined) return "multiboot";
  if (isElf(image)) return hasPvhEntry(image) ? "pvh" : "elf";
  if (isBootSector(image)) return "flat16";
  const hint = `It is no bzImage, no ELF file, no boot sector, and has no Multiboot header: for ` +
    `other bytes say protocol: "flat16", "flat32" or "flat64"`;
  throw new KvmError({ operation: OPERATION, errno: Errno.ENOEXEC, hint });
}

/** Whether an image begins with a boot sector: 0x55 0xaa at 510. {@linkcode detectProtocol} asks last. */
export function isBootSector(image: Uint8Array): boolean {
  return SIGNATURE.every((byte, index) => image[SECTOR - SIGNATURE.length + index] === byte);
}

/** What is wrong with the file is the loader's to say. */
function hasPvhEntry(image: Uint8Array): boolean {
  try {
    const reader = new ImageReader(OPERATION, image);
    return pvhEntry(reader, parseElf(reader)) !== undefined;
  } catch (error) {
    if (error instanceof KvmError) return false;
    throw error;
  }
}
