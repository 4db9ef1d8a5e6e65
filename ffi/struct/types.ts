/**
 * What a struct's table says to TypeScript.
 *
 * A table lists a C struct's fields in order, as data: `{ base: "u64", limit: "u32", pad: "u8[4]" }`.
 * A field's type is a scalar's name, an array of scalars (`"u64[4]"`, or `"u8[]"` for a flexible
 * array at the end), another table (a nested struct), `[table, 8]` or `[table]` (arrays of structs,
 * the second one flexible), or `{ union: { ... } }`, whose members overlap.
 *
 * @module
 */

/** The scalar types and how JavaScript sees them. */
export interface Scalars {
  /** Unsigned 8 bits. */
  u8: number;
  /** Signed 8 bits. */
  s8: number;
  /** Unsigned 16 bits. */
  u16: number;
  /** Signed 16 bits. */
  s16: number;
  /** Unsigned 32 bits. */
  u32: number;
  /** Signed 32 bits. */
  s32: number;
  /** Unsigned 64 bits: a register, a mask. */
  u64: bigint;
  /** Signed 64 bits. */
  s64: bigint;
  /** Unsigned 64 bits that count or address guest memory: exact up to 2^53, an error above. */
  gpa: number;
}

/** The name of a scalar type. */
export type ScalarName = keyof Scalars;

/** The arrays of scalars and the typed arrays that show them. */
export interface ScalarArrays {
  /** Unsigned 8 bits. */
  u8: Uint8Array<ArrayBuffer>;
  /** Signed 8 bits. */
  s8: Int8Array<ArrayBuffer>;
  /** Unsigned 16 bits. */
  u16: Uint16Array<ArrayBuffer>;
  /** Signed 16 bits. */
  s16: Int16Array<ArrayBuffer>;
  /** Unsigned 32 bits. */
  u32: Uint32Array<ArrayBuffer>;
  /** Signed 32 bits. */
  s32: Int32Array<ArrayBuffer>;
  /** Unsigned 64 bits. */
  u64: BigUint64Array<ArrayBuffer>;
  /** Signed 64 bits. */
  s64: BigInt64Array<ArrayBuffer>;
}

/** The value of a field, from its type in the table. */
export type FieldOf<F> = F extends keyof Scalars ? Scalars[F]
  : F extends `${infer E extends keyof ScalarArrays}[${string}]` ? ScalarArrays[E]
  : F extends { readonly union: infer U } ? StructOf<U>
  : F extends readonly [infer E] | readonly [infer E, number] ? readonly StructOf<E>[]
  : StructOf<F>;

/**
 * A struct's view: each field of the table read and written in place.
 *
 * The fields are no properties of the view's own, so what copies those finds none and says nothing:
 * `structuredClone(view)`, `postMessage(view)` and `{ ...view }` give an empty object. What is to be
 * kept, sent or changed apart is `plain(view)`, of `@deno-kvm/kvm`.
 *
 * `JSON.stringify` has all fields. JSON knows no bigints, and JavaScript refuses them with a TypeError:
 * say what they shall be.
 *
 * @example
 * ```ts
 * import { Kvm } from "@deno-kvm/kvm";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * using vcpu = vm.createVcpu(0);
 * const hex = (_: string, value: unknown) =>
 *   typeof value === "bigint" ? `0x${value.toString(16)}` : value;
 * console.log(JSON.stringify(vcpu.getRegs(), hex)); // {"rax":"0x0", ... "rip":"0xfff0","rflags":"0x2"}
 * ```
 */
export type StructOf<T> = { -readonly [K in keyof T]: FieldOf<T[K]> };

/** What may be written to a field. */
export type FieldInit<F> = F extends keyof Scalars ? Scalars[F]
  : F extends `${"u64" | "s64"}[${string}]` ? ArrayLike<bigint>
  : F extends `${string}[${string}]` ? ArrayLike<number>
  : F extends { readonly union: infer U } ? StructInit<U>
  : F extends readonly [infer E] | readonly [infer E, number] ? readonly StructInit<E>[]
  : StructInit<F>;

/** Some of a struct's fields, as a plain object. */
export type StructInit<T> = { readonly [K in keyof T]?: FieldInit<T[K]> | undefined };
