/**
 * Lays a struct's table out by C's rules (System V AMD64 ABI, 3.1.2): each field at the next
 * multiple of its alignment, the whole padded to a multiple of the largest one.
 *
 * @module
 */

import { Errno } from "../errno.ts";
import { KvmError } from "../errors.ts";
import { show } from "./check.ts";
import type { ScalarArrays, ScalarName } from "./types.ts";

/** A struct's table: field names and types in order. */
export type Table = { readonly [field: string]: unknown };

/** Where a field lies and what it is. */
export type Field =
  & {
    /** The name in the table. */
    readonly name: string;
    /** Bytes from the struct's start. */
    readonly offset: number;
    /** Bytes in all; 0 for a flexible array. */
    readonly size: number;
  }
  & (
    | { readonly kind: "scalar"; readonly scalar: ScalarName }
    | { readonly kind: "scalars"; readonly scalar: keyof ScalarArrays; readonly count: number }
    | { readonly kind: "struct"; readonly layout: Layout }
    | { readonly kind: "structs"; readonly layout: Layout; readonly count: number }
  );

/** A table, laid out. */
export interface Layout {
  /** Bytes without the flexible array. */
  readonly size: number;
  /** Bytes that the struct's address must be a multiple of. */
  readonly align: number;
  /** The fields by name, in order. */
  readonly fields: ReadonlyMap<string, Field>;
  /** Bytes of an element of the flexible array at the end; 0 where there is none. */
  readonly stride: number;
}

const scalarSize: Readonly<Record<ScalarName, number>> = {
  u8: 1,
  s8: 1,
  u16: 2,
  s16: 2,
  u32: 4,
  s32: 4,
  u64: 8,
  s64: 8,
  gpa: 8,
};

const layouts = new WeakMap<Table, Layout>();

/** The layout of a table; computed once. */
export function layoutOf(table: Table): Layout {
  let layout = layouts.get(table);
  if (layout === undefined) {
    if (typeof table !== "object" || table === null) throw noTable("A table is an object", table);
    layout = isUnion(table) ? lay(table.union, true) : lay(table, false);
    layouts.set(table, layout);
  }
  return layout;
}

/** Bytes of a struct with `count` elements in its flexible array. */
export function sizeOf(table: Table, count = 0): number {
  const { size, stride } = layoutOf(table);
  return size + count * stride;
}

/** Bytes from the struct's start to a field, given by its path: `"exit.io.port"`. */
export function offsetOf(table: Table, path: string): number {
  let layout: Layout | undefined = layoutOf(table);
  let offset = 0;
  for (const name of path.split(".")) {
    const field: Field | undefined = layout?.fields.get(name);
    if (field === undefined) throw new TypeError(`No field "${path}"`);
    offset += field.offset;
    layout = field.kind === "struct" ? field.layout : undefined;
  }
  return offset;
}

function isUnion(table: Table): table is { readonly union: Table } {
  return "union" in table;
}

function lay(table: Table, overlapping: boolean): Layout {
  const fields = new Map<string, Field>();
  let end = 0;
  let size = 0;
  let structAlign = 1;
  let stride = 0;
  for (const [name, type] of Object.entries(table)) {
    const { align, flexible, ...shape } = shapeOf(type);
    const offset = overlapping ? 0 : roundUp(end, align);
    fields.set(name, { name, offset, ...shape });
    end = offset + shape.size;
    size = Math.max(size, end);
    structAlign = Math.max(structAlign, align);
    if (flexible) stride = shape.kind === "structs" ? shape.layout.size : align;
  }
  return { size: roundUp(size, structAlign), align: structAlign, fields, stride };
}

type Shape = DistributiveOmit<Field, "name" | "offset"> & { align: number; flexible: boolean };
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

function shapeOf(type: unknown): Shape {
  if (typeof type === "string") {
    const [scalar, rest] = type.split("[") as [ScalarName, string?];
    const align = Object.hasOwn(scalarSize, scalar) ? scalarSize[scalar] : undefined;
    if (align === undefined) throw noTable("A scalar is u8, u16, u32, u64, s8... or gpa", type);
    if (rest === undefined) return { kind: "scalar", scalar, size: align, align, flexible: false };
    if (!/^\d*\]$/.test(rest)) throw noTable("An array is u8[4], or u8[] at the end", type);
    const count = parseInt(rest) || 0;
    const element = scalar as keyof ScalarArrays;
    const size = align * count;
    return { kind: "scalars", scalar: element, count, size, align, flexible: rest === "]" };
  }
  if (Array.isArray(type)) {
    const [table, count = 0] = type as [Table, number?];
    if (!Number.isSafeInteger(count) || count < 0) {
      throw noTable("An array of structs is [table, 8], or [table] at the end", count);
    }
    const layout = layoutOf(table);
    const { align } = layout;
    const size = layout.size * count;
    return { kind: "structs", layout, count, size, align, flexible: type.length === 1 };
  }
  const layout = layoutOf(type as Table);
  return { kind: "struct", layout, size: layout.size, align: layout.align, flexible: false };
}

function noTable(hint: string, value: unknown): KvmError {
  const operation = `lay out ${show(value)} as a struct`;
  return new KvmError({ operation, errno: Errno.EINVAL, hint });
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
