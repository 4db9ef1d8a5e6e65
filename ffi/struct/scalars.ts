/**
 * How a view's scalar fields are read and written: bare loads and stores, for they are hot.
 *
 * @module
 */

import { Struct } from "./struct.ts";
import type { ScalarName } from "./types.ts";

const { view: viewOf } = Struct;

/** A field's property. */
export interface Accessors {
  /** Reads it. */
  get(this: Struct): unknown;
  /** Writes it. */
  // deno-lint-ignore no-explicit-any -- one shape for the setters of every scalar type
  set?(this: Struct, value: any): void;
}

const HIGH = 2 ** 32;

/** A number of up to 53 bits as two of 32, for packed structs, whose 64 bits lie at no multiple of 8. */
export function halves(value: number): [low: number, high: number] {
  return [value % HIGH, Math.floor(value / HIGH)];
}

/** By type, for a field at so many bytes from its struct. */
export const scalars: Readonly<Record<ScalarName, (at: number) => Accessors>> = {
  u8: (at) => ({
    get() {
      return viewOf(this).getUint8(at);
    },
    set(value) {
      viewOf(this).setUint8(at, value);
    },
  }),
  s8: (at) => ({
    get() {
      return viewOf(this).getInt8(at);
    },
    set(value) {
      viewOf(this).setInt8(at, value);
    },
  }),
  u16: (at) => ({
    get() {
      return viewOf(this).getUint16(at, true);
    },
    set(value) {
      viewOf(this).setUint16(at, value, true);
    },
  }),
  s16: (at) => ({
    get() {
      return viewOf(this).getInt16(at, true);
    },
    set(value) {
      viewOf(this).setInt16(at, value, true);
    },
  }),
  u32: (at) => ({
    get() {
      return viewOf(this).getUint32(at, true);
    },
    set(value) {
      viewOf(this).setUint32(at, value, true);
    },
  }),
  s32: (at) => ({
    get() {
      return viewOf(this).getInt32(at, true);
    },
    set(value) {
      viewOf(this).setInt32(at, value, true);
    },
  }),
  u64: (at) => ({
    get() {
      return viewOf(this).getBigUint64(at, true);
    },
    set(value) {
      viewOf(this).setBigUint64(at, value, true);
    },
  }),
  s64: (at) => ({
    get() {
      return viewOf(this).getBigInt64(at, true);
    },
    set(value) {
      viewOf(this).setBigInt64(at, value, true);
    },
  }),
  gpa: (at) => ({
    get() {
      const view = viewOf(this);
      const value = view.getUint32(at, true) + view.getUint32(at + 4, true) * HIGH;
      if (value > Number.MAX_SAFE_INTEGER) throw new RangeError(`${value} is beyond 2^53`);
      return value;
    },
    set(value) {
      if (!Number.isSafeInteger(value) || value < 0) {
        throw new RangeError(`${value} is no guest address or size (0 to 2^53 - 1)`);
      }
      const view = viewOf(this);
      view.setUint32(at, value, true);
      view.setUint32(at + 4, value / HIGH, true);
    },
  }),
};
