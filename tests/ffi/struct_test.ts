import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { KvmError } from "../../ffi/errors.ts";
import {
  assign,
  bytesOf,
  create,
  from,
  isView,
  layoutOf,
  offsetOf,
  plain,
  sizeOf,
  view,
} from "../../ffi/struct/mod.ts";

const point = { x: "u16", y: "s32" } as const;
const shape = {
  kind: "u8",
  corner: point,
  mask: "u64",
  address: "gpa",
  names: "u8[3]",
  words: "u64[2]",
  corners: [point, 2],
  payload: { union: { small: "u8", large: "u64", pair: point } },
} as const;
const list = { count: "u32", points: [point] } as const;
const blob = { length: "u32", bytes: "u8[]" } as const;

Deno.test("a layout follows C's alignment rules", () => {
  const layout = layoutOf(shape);
  const offsets = [...layout.fields.values()].map(({ name, offset }) => [name, offset]);
  assertEquals(offsets, [
    ["kind", 0],
    ["corner", 4],
    ["mask", 16],
    ["address", 24],
    ["names", 32],
    ["words", 40],
    ["corners", 56],
    ["payload", 72],
  ]);
  assertEquals([layout.size, layout.align], [80, 8]);
  assertEquals(offsetOf(shape, "payload.pair.y"), 76);
  assertThrows(() => offsetOf(shape, "payload.nothing"), TypeError, "payload.nothing");
});

Deno.test("a flexible array adds its elements to the size", () => {
  assertEquals([sizeOf(list), sizeOf(list, 3)], [4, 28]);
  assertEquals([sizeOf(blob), sizeOf(blob, 3)], [4, 7]);
  const three = create(list, 3);
  three.points[2]!.y = -5;
  assertEquals(three.points.length, 3);
  assertEquals(new DataView(bytesOf(three).buffer).getInt32(4 + 2 * 8 + 4, true), -5);
  assertEquals(create(blob, 5).bytes.length, 5);
});

Deno.test("a name that is no field's is a TypeError, read-only or not", () => {
  const struct = create(shape) as unknown as Record<string, unknown>;
  for (const name of ["Kind", "masc", "toString", "constructor"]) {
    assertThrows(() => struct[name] = 5n, TypeError, "", name);
  }
  assertThrows(() => (create(shape).corner as Record<string, unknown>).X = 1, TypeError);
  assertThrows(() => Object.defineProperty(struct, "kind", { value: 1 }), TypeError);
  assertEquals(Object.keys(struct), []);
});

Deno.test("a plain copy is one of a struct, and no struct's of what is none", () => {
  const struct = from(shape, { kind: 3, corner: { y: -1 }, words: [1n, 2n] });
  const copy = plain(struct);
  struct.corner.y = 5;
  struct.words[0] = 9n;
  assertEquals([copy.kind, copy.corner.y, [...copy.words]], [3, -1, [1n, 2n]]);
  assertEquals(from(shape, structuredClone(copy)), from(shape, copy));
  for (const value of [null, 5, undefined, "text", Symbol()] as never[]) {
    assertThrows(() => plain(value), KvmError, "a struct is a view of one");
  }
});

Deno.test("a table of what is no type is EINVAL, and says what is one", () => {
  const tables = {
    a: "u8[-5]",
    b: "u8[1e9]",
    c: "u8[",
    d: "toString",
    e: [point, -1],
    f: [point, 0.5],
  };
  for (const [name, type] of Object.entries(tables)) {
    const error = assertThrows(() => sizeOf({ [name]: type }), KvmError, "lay out", name);
    assertEquals(error.code, "EINVAL");
  }
});

Deno.test("fields read and write their bytes in place, little-endian", () => {
  const struct = create(shape);
  struct.kind = 0x1ff;
  struct.corner.x = 0xabcd;
  struct.mask = -1n;
  struct.address = 2 ** 40 + 5;
  const bytes = bytesOf(struct);
  assertEquals(struct.kind, 0xff);
  assertEquals([...bytes.subarray(4, 6)], [0xcd, 0xab]);
  assertEquals(struct.mask, 0xffff_ffff_ffff_ffffn);
  assertEquals([...bytes.subarray(24, 32)], [5, 0, 0, 0, 0, 1, 0, 0]);
  assertEquals(struct.address, 2 ** 40 + 5);
});

Deno.test("union members overlap and keep to their own types", () => {
  const struct = create(shape);
  struct.payload.large = 0x0000_0007_0000_0003n;
  assertEquals(struct.payload.small, 3);
  assertEquals([struct.payload.pair.x, struct.payload.pair.y], [3, 7]);
});

Deno.test("an address beyond 2^53 is an error and no rounded number", () => {
  const struct = create(shape);
  bytesOf(struct).fill(0xff, 24, 32);
  assertThrows(() => struct.address, RangeError, "2^53");
  for (const bad of [-1, 0.5, NaN, 2 ** 53]) {
    assertThrows(() => struct.address = bad, RangeError, "guest address");
  }
});

Deno.test("fields given as plain objects are written and the others kept", () => {
  const struct = from(shape, { kind: 1, corner: { x: 2, y: 3 }, words: [4n, 5n] });
  assign(struct, { corner: { y: 9 }, corners: [{ x: 1 }, { x: 2 }] });
  struct.names = new Uint8Array([1, 2, 3]);
  assertEquals(plain(struct), {
    kind: 1,
    corner: { x: 2, y: 9 },
    mask: 0n,
    address: 0,
    names: new Uint8Array([1, 2, 3]),
    words: new BigUint64Array([4n, 5n]),
    corners: [{ x: 1, y: 0 }, { x: 2, y: 0 }],
    payload: { small: 0, large: 0n, pair: { x: 0, y: 0 } },
  });
});

Deno.test("a field that does not exist is refused", () => {
  assertThrows(() => assign(create(point), { z: 1 }), KvmError, "set z: EINVAL");
  const error = assertThrows(() => assign(create(shape), { corner: { z: 1 } }), KvmError);
  assertEquals(error.hint, "There is no such field: it has x, y");
  assertThrows(() => assign(create(shape), { corners: [{}, {}, {}] }), KvmError, "at most 2");
});

Deno.test("a value that a field can't have is refused by the field's name and what it is", () => {
  const cases: readonly [init: object, operation: string, hint: string][] = [
    [{ mask: 5 }, "use 5 as mask", "mask is a bigint: 5n"],
    [{ mask: "5" }, 'use "5" as mask', "mask is a bigint: 4096n"],
    [{ mask: 2n ** 64n }, `use ${2n ** 64n}n as mask`, "mask is a bigint of 64 bits"],
    [{ kind: 5n }, "use 5n as kind", "kind is a whole number of 8 bits"],
    [{ kind: 256 }, "use 256 as kind", "kind is a whole number of 8 bits"],
    [{ kind: null }, "use null as kind", "kind is a whole number of 8 bits"],
    [{ corner: 5 }, "use 5 as corner", "corner is an object with x, y"],
    [{ corner: [1, 2] }, "use a list as corner", "corner is an object with x, y"],
    [{ corner: { x: 0.5 } }, "use 0.5 as corner.x", "corner.x is a whole number of 16 bits"],
    [{ corners: [{}, { y: "" }] }, 'use "" as corners[1].y', "corners[1].y is a whole"],
    [{ corners: { length: 1 } }, "use undefined as corners[0]", ""],
    [{ address: -1 }, "use -1 as address", "address is a whole number from 0 to 2^53 - 1"],
    [{ words: [1n, 2] }, "use 2 as words[1]", "words[1] is a bigint: 2n"],
    [{ words: [1n, 2n, 3n] }, "use a list as words", "words is a list of at most 2 numbers"],
    [{ names: "abc" }, 'use "abc" as names', "names is a list"],
    [{ payload: { pair: null } }, "use null as payload.pair", "payload.pair is an object"],
  ];
  for (const [init, operation, hint] of cases) {
    const error = assertThrows(() => from(shape, init), KvmError);
    assertEquals([error.code, error.operation], ["EINVAL", operation]);
    assert(error.hint?.startsWith(hint), error.message);
  }
  for (const init of [null, 5, "text", [], () => {}]) {
    assertThrows(() => from(point, init as object), KvmError, "fields is an object with x, y");
  }
});

Deno.test("a value of the field's bits is taken, signed or not", () => {
  const struct = from(shape, { kind: -1, mask: -1n, corner: { y: 0xffff_ffff } });
  assertEquals([struct.kind, struct.mask, struct.corner.y], [255, 2n ** 64n - 1n, -1]);
});

Deno.test("two views are equal when their bytes are, whether or not they were looked into", () => {
  const a = from(shape, { corner: { x: 1 } });
  const b = from(shape, { corner: { x: 1 } });
  void a.corner.x;
  void a.corners[1];
  assertEquals(a, b);
  b.corner.x = 2;
  assertNotEquals(a, b);
});

Deno.test("a view is told from a plain object and from another struct's view", () => {
  const plainPoint: object = { x: 1, y: 2 };
  assertEquals(isView(point, create(point)), true);
  assertEquals(isView(point, create(list)), false);
  assertEquals(isView(point, plainPoint), false);
});

Deno.test("a struct is shown in a buffer at an offset", () => {
  const buffer = new ArrayBuffer(64);
  const struct = view(point, buffer, 12);
  struct.y = 77;
  assertEquals(new DataView(buffer).getInt32(16, true), 77);
  assertThrows(() => view(point, buffer, 60), RangeError);
});

Deno.test("console.log shows a struct's fields", () => {
  assertEquals(Deno.inspect(from(point, { x: 1, y: 2 })), "{ x: 1, y: 2 }");
});

Deno.test("JSON has a struct's fields, and its bigints as the caller says, or not at all", () => {
  const text = (_: string, value: unknown) => typeof value === "bigint" ? String(value) : value;
  const struct = from(list, { points: [{ x: 1, y: -2 }] }, 1);
  assertEquals(JSON.stringify({ struct }), '{"struct":{"count":0,"points":[{"x":1,"y":-2}]}}');
  const large = from({ low: "u32", all: "u64[1]", high: "u64" }, { high: 2n ** 63n });
  assertThrows(() => JSON.stringify(large), TypeError, "BigInt");
  assertEquals(
    JSON.stringify(large, text),
    '{"low":0,"all":{"0":"0"},"high":"9223372036854775808"}',
  );
  assertEquals(Object.keys(plain(large)), ["low", "all", "high"]);
});

Deno.test("a struct whose buffer is gone throws and does not crash", () => {
  const buffer = new ArrayBuffer(64);
  const struct = view(point, buffer);
  buffer.transfer();
  assertThrows(() => struct.x, TypeError, "detached");
});
