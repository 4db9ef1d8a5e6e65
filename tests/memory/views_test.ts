import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { guests } from "../../guests/mod.ts";
import type { MemoryAccess, TypedArrayConstructor } from "../../src/memory/mod.ts";
import { assertCode } from "../support/codes.ts";
import { CELLS, runUntil, startLong } from "../support/machine.ts";
import { twoSlots } from "../support/memory.ts";

const point = { x: "u16", y: "s32", z: "u64" } as const;
const list = { count: "u32", items: "u16[]" } as const;

Deno.test("views show what the guest writes, and the guest reads what is written through them", () => {
  using machine = startLong(guests.copy, { registers: { rsi: 0x3000n, rdi: 0x3010n } });
  const { memory, vcpu } = machine;
  const bytes = memory.bytes(0x3000, 8);
  const numbers = memory.array(BigUint64Array, 0x3000, 4);
  const struct = machine.vm.memory.struct({ low: "u32", high: "u32" }, 0x3010);
  const steps = memory.array(Uint32Array, CELLS, 1);
  bytes.set([1, 2, 3, 4, 5, 6, 7, 8]);
  runUntil(vcpu, "hlt");
  assertEquals([numbers[0], numbers[2]], [0x0807_0605_0403_0201n, 0x0807_0605_0403_0201n]);
  assertEquals([struct.low, struct.high, steps[0]], [0x0403_0201, 0x0807_0605, 2]);
});

Deno.test("views and reads of the same memory agree in both directions", () => {
  using machine = twoSlots();
  const { memory, low } = machine;
  const bytes = memory.bytes(0x1100, 16);
  const words = low.array(Uint16Array, 0x1100, 8);
  const struct = memory.struct(point, 0x1100);
  bytes[0] = 0x34;
  bytes[1] = 0x12;
  assertEquals([words[0], struct.x, memory.readU16(0x1100)], [0x1234, 0x1234, 0x1234]);
  struct.y = -2;
  assertEquals(low.readU32(0x1104), 0xffff_fffe);
  memory.writeU64(0x1108, 7n);
  assertEquals([struct.z, words[4]], [7n, 7]);
});

Deno.test("each kind of typed array shows its elements", () => {
  using machine = twoSlots();
  const { memory } = machine;
  memory.writeU64(0x1000, 0xbff0_0000_0000_0000n);
  assertEquals([...memory.array(Float64Array, 0x1000, 1)], [-1]);
  assertEquals([...memory.array(Int8Array, 0x1006, 2)], [-16, -65]);
  assertEquals([...memory.array(Uint16Array, 0x1006, 1)], [0xbff0]);
  assertEquals([...memory.array(BigInt64Array, 0x1000, 1)], [-0x4010_0000_0000_0000n]);
});

Deno.test("a type that is no typed array's class is EINVAL, and says what is one", () => {
  using machine = twoSlots();
  const { memory } = machine;
  const types = [
    null,
    undefined,
    5,
    "Uint8Array",
    {},
    { BYTES_PER_ELEMENT: 0 },
    () => {},
    DataView,
  ];
  for (const type of types as never[]) {
    const { hint } = assertCode("EINVAL", () => memory.array(type, 0x1000, 4));
    assertStringIncludes(hint!, "Uint32Array");
  }
});

Deno.test("a typed array at an address that its elements don't divide is EINVAL", () => {
  using machine = twoSlots();
  const { memory, high } = machine;
  const types: TypedArrayConstructor<unknown>[] = [Uint16Array, Uint32Array, BigUint64Array];
  for (const type of types) {
    const size = type.BYTES_PER_ELEMENT;
    memory.array(type, 0x3000 + size, 1);
    for (let off = 1; off < size; off++) {
      const error = assertCode("EINVAL", () => memory.array(type, 0x3000 + off, 1));
      assertStringIncludes(error.hint!, `multiple of ${size}`);
      assertCode("EINVAL", () => high.array(type, 0x3000 + off, 1));
    }
  }
});

Deno.test("a view across two slots is EFAULT and says how to go about it", () => {
  using machine = twoSlots();
  const { memory } = machine;
  for (
    const look of [
      () => memory.bytes(0x2fff, 2),
      () => memory.array(Uint32Array, 0x2ffc, 2),
      () => memory.struct(point, 0x2ff8),
    ]
  ) {
    assertStringIncludes(assertCode("EFAULT", look).hint!, "readBytes");
  }
});

Deno.test("a view that ends outside memory is not called one across slots", () => {
  using machine = twoSlots();
  const { memory } = machine;
  const error = assertCode("EFAULT", () => memory.bytes(0x4fff, 2));
  assertStringIncludes(error.hint!, "Guest memory is");
  assertStringIncludes(
    assertCode("EFAULT", () => memory.bytes(0x9000, 0)).hint!,
    "Guest memory is",
  );
});

Deno.test("a struct with a flexible array takes as many elements as are asked for", () => {
  using machine = twoSlots();
  const { memory } = machine;
  const struct = memory.struct(list, 0x1200, 3);
  struct.items[2] = 0xabcd;
  assertEquals([struct.items.length, memory.readU16(0x1208)], [3, 0xabcd]);
  memory.struct(list, 0x5000 - 10, 3);
  assertCode("EFAULT", () => memory.struct(list, 0x5000 - 10, 4));
  for (const count of [-100, NaN, 0.5, 1n, "2"] as never[]) {
    const { message } = assertCode("EINVAL", () => memory.struct(list, 0x1200, count));
    assertStringIncludes(message, "The number of elements is a whole number");
  }
});

Deno.test("views are empty after their slot was removed, and touching them does no harm", () => {
  using machine = twoSlots();
  const { vm, memory, low } = machine;
  const bytes = memory.bytes(0x1000, 100);
  const numbers = low.array(Uint32Array, 0x1000, 10);
  const struct = memory.struct(point, 0x1000);
  const { all, dataView } = low;
  vm.removeMemory(low);
  assertEquals([bytes.length, numbers.length, all.length], [0, 0, 0]);
  bytes[0] = 1;
  assertThrows(() => bytes.fill(1), TypeError);
  assertEquals([bytes[0], numbers[0], all[0]], [undefined, undefined, undefined]);
  assertThrows(() => struct.x, TypeError);
  assertThrows(() => struct.z = 1n, TypeError);
  assertThrows(() => dataView.getUint8(0), TypeError);
});

Deno.test("views are empty after the VM was closed", () => {
  const machine = twoSlots();
  const { vm, memory, high } = machine;
  const views = [memory.bytes(0x1000, 100), high.all, memory.bytes(0x10000, 1)];
  vm.close();
  assertEquals(views.map(({ length }) => length), [0, 0, 0]);
});

Deno.test("a slot whose buffer someone took is EFAULT or empty, and the VM closes as usual", () => {
  using machine = twoSlots();
  const { vm, memory, low } = machine;
  const stolen = new Uint8Array(low.all.buffer.transfer());
  stolen[0] = 9;
  assertEquals(low.all.length, 0);
  const uses = (memory: MemoryAccess): (() => unknown)[] => [
    () => memory.readU8(0x1000),
    () => memory.readU16(0x1000),
    () => memory.readU32(0x1000),
    () => memory.readU64(0x1000),
    () => memory.writeU8(0x1000, 1),
    () => memory.writeU16(0x1000, 1),
    () => memory.writeU32(0x1000, 1),
    () => memory.writeU64(0x1000, 1n),
    () => memory.readBytes(0x1000, 4),
    () => memory.writeBytes(0x1000, Uint8Array.of(1)),
    () => memory.fill(0x1000, 4),
    () => memory.copy(0x1000, 0x1010, 4),
    () => memory.readString(0x1000),
    () => memory.writeString(0x1000, "text"),
    () => memory.bytes(0x1000, 4),
    () => memory.array(Uint32Array, 0x1000, 1),
    () => memory.struct(point, 0x1000),
  ];
  for (const [index, use] of [...uses(memory), ...uses(low)].entries()) {
    const { hint } = assertCode("EFAULT", use, `no. ${index}`);
    assertStringIncludes(hint!, "transferred away");
  }
  vm.close();
  assertEquals(stolen.length, 0x2000);
  assert(stolen.every((byte) => byte === 0));
});

Deno.test("the guest keeps its memory when someone takes the buffer", () => {
  using machine = startLong(guests.halt);
  const { memory, vcpu } = machine;
  const stolen = new DataView(
    structuredClone(memory.all.buffer, { transfer: [memory.all.buffer] }),
  );
  runUntil(vcpu, "hlt");
  assertEquals(stolen.getUint32(CELLS, true), 42);
});
