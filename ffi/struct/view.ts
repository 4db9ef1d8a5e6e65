/**
 * Views of structs: objects whose properties read and write the bytes in place.
 *
 * @module
 */

import { Errno } from "../errno.ts";
import { KvmError } from "../errors.ts";
import { checkScalar, isList, noField, wrongField } from "./check.ts";
import { type Field, type Layout, layoutOf, sizeOf, type Table } from "./layout.ts";
import { type Accessors, scalars } from "./scalars.ts";
import { Struct } from "./struct.ts";
import type { ScalarArrays, ScalarName, StructInit, StructOf } from "./types.ts";

type Maker = new (
  buffer: ArrayBuffer,
  offset: number,
  size: number,
  own?: PropertyDescriptorMap,
) => Struct;

const { part, isStruct, isHusk } = Struct;
const INSPECT: unique symbol = Symbol.for("Deno.customInspect");
const makers = new WeakMap<Layout, Maker>();
/** A view's layout, by its prototype: what a user may put on it does not count. */
const layoutOfView = new WeakMap<object, Layout>();

/** A new struct, all zero, with `count` elements in its flexible array. */
export function create<const T extends Table>(table: T, count = 0): StructOf<T> {
  const size = sizeOf(table, count);
  return view(table, new ArrayBuffer(size), 0, count);
}

/**
 * The struct that lies at `offset` in a buffer.
 *
 * @param own Properties that the object has beside the fields.
 */
export function view<const T extends Table>(
  table: T,
  buffer: ArrayBuffer,
  offset = 0,
  count = 0,
  own?: PropertyDescriptorMap,
): StructOf<T> {
  const Maker = makerOf(layoutOf(table));
  return new Maker(buffer, offset, sizeOf(table, count), own) as unknown as StructOf<T>;
}

/** A new struct with the given fields; the others are zero. */
export function from<const T extends Table>(table: T, init: StructInit<T>, count = 0): StructOf<T> {
  return assign(create(table, count), init as object);
}

/**
 * Whether a value is a view of this struct, and not a plain object that looks like one, or a view
 * that was made by hand over fewer bytes.
 */
export function isView<const T extends Table>(table: T, value: unknown): value is StructOf<T> {
  const layout = layoutOf(table);
  return isStruct(value) && value instanceof makerOf(layout) &&
    byteLengthOf(bytesOf(value)) >= layout.size;
}

const byteLength = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  "byteLength",
)!.get!;

/**
 * How many bytes an array really has: its properties are in users' hands, and the kernel writes
 * by this number.
 */
export function byteLengthOf(bytes: Uint8Array): number {
  return byteLength.call(bytes);
}

/** The bytes of a struct that `create` or `view` made. */
export function bytesOf(struct: object): Uint8Array<ArrayBuffer> {
  return Struct.bytes(struct as Struct);
}

/**
 * Takes a view back, whose memory is about to go: whoever has kept it gets this error for every
 * field.
 */
export function revoke(struct: object, error: () => Error): void {
  Struct.revoke(struct as Struct, error);
}

/**
 * Writes the fields that `init` has, arrays and nested structs included.
 *
 * @param path What comes before a field's name in an error: `"cs."`.
 * @throws {KvmError} EINVAL names what is no field, and values that a field can't have.
 */
export function assign<S extends object>(struct: S, init: object, path = ""): S {
  if (isStruct(init) && init.constructor === struct.constructor) {
    const bytes = bytesOf(init);
    if (bytes.length === bytesOf(struct).length) {
      bytesOf(struct).set(bytes);
      return struct;
    }
  }
  const { fields } = layoutOfView.get(Object.getPrototypeOf(struct))!;
  if (typeof init !== "object" || init === null || Array.isArray(init)) {
    const what = path === "" ? "fields" : path.slice(0, -1);
    throw wrongField(what, init, `an object with ${[...fields.keys()].join(", ")}`);
  }
  if (isHusk(init)) throw huskError(path);
  for (const [name, value] of entriesOf(init)) {
    if (value === undefined) continue;
    const field = fields.get(name);
    if (field === undefined) throw noField(path + name, fields.keys());
    put(struct as Record<string, unknown>, field, value, path);
  }
  return struct;
}

function put(struct: Record<string, unknown>, field: Field, value: unknown, path: string): void {
  const { name } = field;
  switch (field.kind) {
    case "scalar":
      checkScalar(path, name, field.scalar, value);
      struct[name] = value;
      break;
    case "scalars":
      putScalars(struct[name] as Numbers, field.scalar, value, path + name);
      break;
    case "struct":
      assign(struct[name] as object, value as object, `${path}${name}.`);
      break;
    case "structs":
      putStructs(struct[name] as readonly object[], value, path + name);
  }
}

/** Any typed array, as far as its elements' type does not matter. */
type Numbers = Uint8Array<ArrayBuffer>;

function putScalars(target: Numbers, scalar: ScalarName, value: unknown, path: string): void {
  if (isStruct(value) || !isList(value) || value.length > target.length) {
    throw wrongField(path, value, `a list of at most ${target.length} numbers of type ${scalar}`);
  }
  if (ArrayBuffer.isView(value) && value.constructor === target.constructor) {
    target.set(value);
    return;
  }
  for (let index = 0; index < value.length; index++) {
    const element = value[index]!;
    checkScalar(path, `[${index}]`, scalar, element);
    target[index] = element;
  }
}

function putStructs(places: readonly object[], value: unknown, path: string): void {
  if (!isList(value) || value.length > places.length) {
    throw wrongField(path, value, `a list of at most ${places.length}`);
  }
  for (let index = 0; index < value.length; index++) {
    assign(places[index]!, value[index] as unknown as object, `${path}[${index}].`);
  }
}

/** Nothing of it would be written. */
function huskError(path: string): KvmError {
  const what = path === "" ? "the fields" : path.slice(0, -1);
  const hint = "{ ...view } copies no field of a view: write { ...plain(view) }";
  return new KvmError({ operation: `set ${what} from a copy`, errno: Errno.EINVAL, hint });
}

/**
 * A copy of a struct as a plain object, nested structs and arrays included: to keep, to change, for
 * `structuredClone` and `postMessage`. A view itself can't be copied so: its fields lie in the kernel's
 * struct, and `{ ...view }` and `structuredClone(view)` have none of them, without an error.
 *
 * @example
 * ```ts
 * import { Kvm, plain } from "@deno-kvm/kvm";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * using vcpu = vm.createVcpu(0);
 * const before = plain(vcpu.getRegs());
 * vcpu.setRegs({ rip: 0x1000n });
 * vcpu.setRegs({ ...before, rbx: 5n });
 * console.log(vcpu.getRegs().rip); // 65520n, as it was
 * ```
 *
 * @throws {KvmError} EINVAL for what is no object.
 */
export function plain<S extends object>(struct: S): S {
  if (typeof struct !== "object" || struct === null) {
    throw wrongField("a struct", struct, "a view of one");
  }
  const copy: Record<string, unknown> = {};
  for (const [name, value] of entriesOf(struct)) {
    copy[name] = ArrayBuffer.isView(value)
      ? (value as Uint8Array).slice()
      : Array.isArray(value)
      ? value.map(plain)
      : typeof value === "object" && value !== null
      ? plain(value)
      : value;
  }
  return copy as S;
}

function* entriesOf(object: object): Generator<[string, unknown]> {
  const names = isStruct(object) ? Object.keys(Object.getPrototypeOf(object)) : Object.keys(object);
  for (const name of names) yield [name, valueOf(object as Record<string, unknown>, name)];
}

/** A field's value, of whatever the bytes hold: union members that don't count hold anything. */
function valueOf(object: Record<string, unknown>, name: string): unknown {
  try {
    return object[name];
  } catch (error) {
    if (isStruct(object) && error instanceof RangeError) return NaN;
    throw error;
  }
}

function makerOf(layout: Layout): Maker {
  let maker = makers.get(layout);
  if (maker === undefined) {
    maker = class extends Struct {
      [INSPECT](inspect: typeof Deno.inspect, options: Deno.InspectOptions): string {
        if (bytesOf(this).buffer.detached) return "a struct whose memory is gone";
        return inspect(plain(this), options);
      }
      toJSON(): object {
        return plain(this);
      }
    };
    const { prototype } = maker;
    [...layout.fields.values()].forEach((field, index) => {
      const property = { ...accessors(field, index), enumerable: true, configurable: true };
      Object.defineProperty(prototype, field.name, property);
    });
    makers.set(layout, maker);
    layoutOfView.set(prototype, layout);
  }
  return maker;
}

function accessors(field: Field, index: number): Accessors {
  const at = field.offset;
  switch (field.kind) {
    case "scalar":
      return scalars[field.scalar](at);
    case "scalars": {
      const { scalar, count } = field;
      const make = (view: DataView<ArrayBuffer>) => {
        const TypedArray = arrays[scalar];
        const size = TypedArray.BYTES_PER_ELEMENT;
        // A flexible array takes what the view has left.
        const length = count || Math.floor((view.byteLength - at) / size);
        return new TypedArray(view.buffer, view.byteOffset + at, length);
      };
      return {
        get() {
          return part(this, index, make);
        },
        set(value) {
          part(this, index, make).set(value as never);
        },
      };
    }
    case "struct": {
      const { layout } = field;
      const make = (view: DataView<ArrayBuffer>) =>
        new (makerOf(layout))(view.buffer, view.byteOffset + at, layout.size);
      return {
        get() {
          return part(this, index, make);
        },
        set(value) {
          assign(part(this, index, make), value, `${field.name}.`);
        },
      };
    }
    case "structs": {
      const { layout, count } = field;
      const make = (view: DataView<ArrayBuffer>) => {
        const Maker = makerOf(layout);
        const length = count || Math.floor((view.byteLength - at) / layout.size);
        const place = view.byteOffset + at;
        return Array.from(
          { length },
          (_, index) => new Maker(view.buffer, place + index * layout.size, layout.size),
        );
      };
      return {
        get() {
          return part(this, index, make);
        },
        set(value) {
          putStructs(part(this, index, make), value, field.name);
        },
      };
    }
  }
}

const arrays: {
  readonly [E in keyof ScalarArrays]: {
    readonly BYTES_PER_ELEMENT: number;
    new (buffer: ArrayBuffer, offset: number, length: number): ScalarArrays[E];
  };
} = {
  u8: Uint8Array,
  s8: Int8Array,
  u16: Uint16Array,
  s16: Int16Array,
  u32: Uint32Array,
  s32: Int32Array,
  u64: BigUint64Array,
  s64: BigInt64Array,
};
