/**
 * What the loader's tests share: images and machines, without KVM.
 *
 * @module
 */

import { E820Type, type MemoryMap, memoryMap } from "../../src/firmware/mod.ts";
import type { LoadOptions } from "../../src/loader/mod.ts";
import { images } from "./guests/bytes.ts";

/** 1 MiB. */
export const MIB: number = 2 ** 20;

/** The machine's memory unless a test has another one. */
export const map: MemoryMap = memoryMap(16 * MIB);

/** A fresh copy of an image that the tests assembled. */
export function imageOf(name: keyof typeof images): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(images[name]);
}

/** Bytes of text. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** A DataView of an image, to change fields by. */
export function fields(image: Uint8Array<ArrayBuffer>): DataView<ArrayBuffer> {
  return new DataView(image.buffer, image.byteOffset, image.byteLength);
}

/** The same image with fields of 1, 2, 4 or 8 bytes changed. */
export function changed(
  image: Uint8Array,
  ...changes: readonly (readonly [offset: number, size: 1 | 2 | 4 | 8, value: number | bigint])[]
): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(image);
  const view = fields(copy);
  for (const [offset, size, value] of changes) {
    if (size === 8) view.setBigUint64(offset, BigInt(value), true);
    else if (size === 4) view.setUint32(offset, Number(value), true);
    else if (size === 2) view.setUint16(offset, Number(value), true);
    else view.setUint8(offset, Number(value));
  }
  return copy;
}

/** A memory map of plain RAM, in KiB of start and size. */
export function ram(...pieces: readonly [start: number, size: number][]): LoadOptions["memoryMap"] {
  return pieces.map(([start, size]) => ({
    start: start * 1024,
    size: size * 1024,
    type: E820Type.USABLE,
  }));
}

/** A number as the guests print it. */
export function hex8(value: number): string {
  return value.toString(16).padStart(8, "0");
}
