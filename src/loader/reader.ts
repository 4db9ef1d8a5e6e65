/**
 * Reads headers out of an image that nobody vouches for.
 *
 * @module
 */

import {
  bytesOf,
  create,
  Errno,
  KvmError,
  sizeOf,
  type StructOf,
  type Table,
} from "../../ffi/mod.ts";
import { PHYSICAL_END } from "../arch/x86/mod.ts";
import { hex } from "./text.ts";

/** An image, and how to speak of it in errors. */
export class ImageReader {
  /** The bytes. */
  readonly image: Uint8Array;
  readonly #operation: string;

  /** @param operation What is tried, as the end of a sentence that begins with "Cannot". */
  constructor(operation: string, image: Uint8Array) {
    this.#operation = operation;
    this.image = image;
  }

  /** ENOEXEC: what is wrong at an offset of the image. */
  malformed(offset: number, hint: string): KvmError {
    return this.error(Errno.ENOEXEC, `At offset ${hex(offset)}: ${hint}`);
  }

  /** Any other error. */
  error(errno: number, hint: string): KvmError {
    return new KvmError({ operation: this.#operation, errno, hint });
  }

  /** Throws unless the image has these bytes. */
  need(offset: number, size: number, what: string): void {
    const { length } = this.image;
    if (offset <= length && size <= length - offset) return;
    throw this.malformed(
      offset,
      `${what} takes ${size} bytes, and the image ends at ${hex(length)}: it is cut off, or of ` +
        `another format`,
    );
  }

  /** A copy of the struct at an offset. */
  struct<const T extends Table>(table: T, offset: number, what: string): StructOf<T> {
    const size = sizeOf(table);
    this.need(offset, size, what);
    const struct = create(table);
    bytesOf(struct).set(this.image.subarray(offset, offset + size));
    return struct;
  }

  /** An offset in a file, an address or a size as a number; what is beyond all memory is refused. */
  exact(value: bigint, offset: number, what: string): number {
    if (value <= PHYSICAL_END) return Number(value);
    throw this.malformed(offset, `${what} is ${hex(value)}, beyond all physical addresses`);
  }
}
