import { assert, assertEquals } from "@std/assert";
import { twoSlots } from "../support/memory.ts";

const pattern = (length: number) => Uint8Array.from({ length }, (_, index) => index * 7 + 1);

Deno.test("bytes go in and come out across two slots", () => {
  using machine = twoSlots();
  const { memory, low, high } = machine;
  const bytes = pattern(0x1000);
  memory.writeBytes(0x2800, bytes);
  assertEquals(low.readBytes(0x2800, 0x800), bytes.subarray(0, 0x800));
  assertEquals(high.readBytes(0x3000, 0x800), bytes.subarray(0x800));
  assertEquals(memory.readBytes(0x2800, 0x1000), bytes);
  assertEquals(memory.readBytes(0x1000, 0x4000).length, 0x4000);
});

Deno.test("bytes that were read are a copy", () => {
  using machine = twoSlots();
  const { memory } = machine;
  const copy = memory.readBytes(0x1000, 4);
  copy.fill(0xff);
  memory.writeU8(0x1001, 5);
  assertEquals([...memory.readBytes(0x1000, 4)], [0, 5, 0, 0]);
  assertEquals([...copy], [255, 255, 255, 255]);
});

Deno.test("part of a larger array and part of guest memory itself can be written", () => {
  using machine = twoSlots();
  const { memory } = machine;
  memory.writeBytes(0x2ffe, pattern(100).subarray(10, 14));
  assertEquals(memory.readBytes(0x2ffe, 4), pattern(100).subarray(10, 14));
  memory.writeBytes(0x1000, memory.bytes(0x3000, 2));
  assertEquals(memory.readU16(0x1000), memory.readU16(0x3000));
});

Deno.test("a fill reaches across slots, takes low bits, and leaves the neighbours alone", () => {
  using machine = twoSlots();
  const { memory } = machine;
  memory.fill(0x2ff0, 0x20, 0x1a5);
  assert(memory.readBytes(0x2ff0, 0x20).every((byte) => byte === 0xa5));
  assertEquals([memory.readU8(0x2fef), memory.readU8(0x3010)], [0, 0]);
  memory.fill(0x2ff8, 0x10);
  assert(memory.readBytes(0x2ff8, 0x10).every((byte) => byte === 0));
});

for (
  const [name, from, to] of [
    ["upward within a slot", 0x1100, 0x1180],
    ["downward within a slot", 0x1180, 0x1100],
    ["upward across two slots", 0x2f00, 0x2f80],
    ["downward across two slots", 0x2f80, 0x2f00],
    ["onto itself", 0x2f80, 0x2f80],
    ["from one slot into another", 0x1000, 0x10000],
  ] as const
) {
  Deno.test(`a copy ${name} takes the bytes as they were before`, () => {
    using machine = twoSlots();
    const { memory } = machine;
    const bytes = pattern(0x100);
    memory.writeBytes(from, bytes);
    memory.copy(from, to, 0x100);
    assertEquals(memory.readBytes(to, 0x100), bytes);
    const around = from === to || Math.abs(from - to) < 0x100
      ? []
      : [memory.readU8(to - 0 + 0x100)];
    assertEquals(around, around.map(() => 0));
  });
}

Deno.test("a copy within one slot by the slot's own method takes the bytes as they were", () => {
  using machine = twoSlots();
  const { low } = machine;
  low.writeBytes(0x1000, pattern(64));
  low.copy(0x1000, 0x1010, 64);
  assertEquals(low.readBytes(0x1010, 64), pattern(64));
});
