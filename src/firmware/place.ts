/**
 * Finds addresses for tables in the range that kernels look through.
 *
 * @module
 */

import { Errno, KvmError } from "../../ffi/mod.ts";
import { formatRange, type Range } from "../memory/mod.ts";

/** A table at its place. */
export interface TableRegion {
  /** The table's signature, as in its first bytes: `"DSDT"`. */
  readonly signature: string;
  /** The first guest-physical address. */
  readonly address: number;
  /** The table. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What tables are written to: guest memory. */
export interface TableMemory {
  /** Copies bytes to a guest-physical address. */
  writeBytes(address: number, bytes: Uint8Array): void;
}

/** A range that is filled from its beginning. */
export class Window {
  /** What was placed, by ascending address. */
  readonly regions: TableRegion[] = [];
  readonly #operation: string;
  readonly #range: Range;
  #next: number;

  /** Nothing is placed yet. */
  constructor(operation: string, range: Range) {
    this.#operation = operation;
    this.#range = range;
    this.#next = range.guestPhysAddr;
  }

  /**
   * Takes the next free bytes for a table.
   *
   * @param align What its address is a multiple of.
   * @returns The address.
   * @throws {KvmError} ENOMEM if it does not fit.
   */
  place(signature: string, bytes: Uint8Array<ArrayBuffer>, align = 16): number {
    const address = Math.ceil(this.#next / align) * align;
    const { guestPhysAddr, size } = this.#range;
    const end = address + bytes.length;
    if (end > guestPhysAddr + size) {
      const hint = `With the ${signature} they have ${end - guestPhysAddr} bytes, and there is ` +
        `room for ${size} (${formatRange(this.#range)}): describe fewer processors or devices`;
      throw new KvmError({ operation: this.#operation, errno: Errno.ENOMEM, hint });
    }
    this.regions.push({ signature: signature.trim(), address, bytes });
    this.#next = end;
    return address;
  }
}
