import { assertEquals } from "@std/assert";
import type { MemoryAccess } from "../../src/memory/mod.ts";
import { assertCode } from "../support/codes.ts";
import { twoSlots } from "../support/memory.ts";

type Case = readonly [name: string, of: (machine: ReturnType<typeof twoSlots>) => MemoryAccess];

const spaces: readonly Case[] = [
  ["a slot", ({ low }) => low],
  ["all memory", ({ memory }) => memory],
];

for (const [name, of] of spaces) {
  Deno.test(`integers of ${name} are little-endian and of any alignment`, () => {
    using machine = twoSlots();
    const memory = of(machine);
    for (let at = 0x1000; at < 0x1008; at++) {
      memory.fill(0x1000, 32);
      memory.writeU64(at, 0x8877_6655_4433_2211n);
      assertEquals(memory.readBytes(at, 8).toHex(), "1122334455667788");
      assertEquals(memory.readU8(at), 0x11);
      assertEquals(memory.readU16(at), 0x2211);
      assertEquals(memory.readU32(at), 0x4433_2211);
      assertEquals(memory.readU64(at), 0x8877_6655_4433_2211n);
      memory.writeU32(at, 0xddcc_bbaa);
      memory.writeU16(at + 4, 0xffee);
      memory.writeU8(at + 6, 0x99);
      assertEquals(memory.readBytes(at, 8).toHex(), "aabbccddeeff9988");
      assertEquals(memory.readU8(at + 8), 0);
    }
  });

  Deno.test(`integers of ${name} are unsigned when read, whatever sign was written`, () => {
    using machine = twoSlots();
    const memory = of(machine);
    memory.writeU8(0x1000, -1);
    memory.writeU16(0x1002, -2);
    memory.writeU32(0x1004, -3);
    memory.writeU64(0x1008, -4n);
    assertEquals(memory.readU8(0x1000), 0xff);
    assertEquals(memory.readU16(0x1002), 0xfffe);
    assertEquals(memory.readU32(0x1004), 0xffff_fffd);
    assertEquals(memory.readU64(0x1008), 0xffff_ffff_ffff_fffcn);
  });

  Deno.test(`of a number too large for its width in ${name} the low bits are written`, () => {
    using machine = twoSlots();
    const memory = of(machine);
    memory.fill(0x1000, 32, 0x77);
    memory.writeU8(0x1000, 0x1ff);
    memory.writeU16(0x1002, 0x12_3456);
    memory.writeU32(0x1004, 0x12_3456_789a);
    memory.writeU64(0x1008, 1n << 64n | 5n);
    assertEquals(memory.readBytes(0x1000, 17).toHex(), "ff7756349a785634050000000000000077");
  });
}

Deno.test("an integer may straddle two adjacent slots, at every split", () => {
  using machine = twoSlots();
  const { memory, low, high } = machine;
  for (let below = 1; below < 8; below++) {
    const at = 0x3000 - below;
    low.fill(0x2ff0, 16);
    high.fill(0x3000, 16);
    memory.writeU64(at, 0x8877_6655_4433_2211n);
    const bytes = Uint8Array.fromHex("1122334455667788");
    assertEquals(low.readBytes(at, below), bytes.subarray(0, below));
    assertEquals(high.readBytes(0x3000, 8 - below), bytes.subarray(below));
    assertEquals([low.readU8(at - 1), high.readU8(0x3008 - below)], [0, 0]);
    assertEquals(memory.readU64(at), 0x8877_6655_4433_2211n);
    if (below < 4) {
      memory.writeU32(at, 0xddcc_bbaa);
      assertEquals(memory.readU32(at), 0xddcc_bbaa);
      assertEquals(memory.readU8(at + 4), 0x55);
    }
  }
  memory.writeU16(0x2fff, 0xbeef);
  assertEquals([low.readU8(0x2fff), high.readU8(0x3000), memory.readU16(0x2fff)], [
    0xef,
    0xbe,
    0xbeef,
  ]);
});

Deno.test("an integer that straddles two slots is truncated as one within a slot is", () => {
  using machine = twoSlots();
  const { memory } = machine;
  for (
    const value of [0, -1, 1.9, -1.5, 0x12_3456_789a, -(2 ** 40), 2 ** 53, 1e300, NaN, Infinity]
  ) {
    for (const width of [16, 32] as const) {
      const write = (at: number) =>
        width === 16 ? memory.writeU16(at, value) : memory.writeU32(at, value);
      const read = (at: number) => width === 16 ? memory.readU16(at) : memory.readU32(at);
      write(0x1800);
      write(0x2fff);
      assertEquals(read(0x2fff), read(0x1800), `${value} in ${width} bits`);
    }
  }
});

Deno.test("64 bits are a bigint: a number is refused and writes nothing", () => {
  using machine = twoSlots();
  const { memory } = machine;
  for (const at of [0x1800, 0x2ffc]) {
    // deno-lint-ignore no-explicit-any -- what the types forbid
    assertCode("EINVAL", () => memory.writeU64(at, 5 as any));
    assertEquals(memory.readU64(at), 0n);
  }
});

Deno.test("an address or a value of the wrong type is refused by what it should be", () => {
  using machine = twoSlots();
  const { memory, low } = machine;
  // deno-lint-ignore no-explicit-any -- what the types forbid
  const anything = (value: unknown): any => value;
  for (const access of [memory, low]) {
    const error = assertCode("EINVAL", () => access.readU32(anything(0x1800n)));
    assertEquals(error.hint, "An address is a number and no bigint: Number(6144n)");
    for (const wrong of [0x1800n, "0x1800", null]) {
      const address = anything(wrong);
      for (const read of ["readU8", "readU16", "readU32", "readU64"] as const) {
        assertCode("EINVAL", () => access[read](address), read);
      }
      for (const write of ["writeU8", "writeU16", "writeU32"] as const) {
        assertCode("EINVAL", () => access[write](address, 1), write);
        assertCode("EINVAL", () => access[write](0x1800, anything(1n)), write);
      }
      assertCode("EINVAL", () => access.writeU64(address, 1n));
      assertCode("EINVAL", () => access.readBytes(address, 4));
      assertCode("EINVAL", () => access.bytes(address, 4));
      assertCode("EINVAL", () => access.hostAddress(address));
    }
    assertCode("EINVAL", () => access.writeBytes(0x1800, anything([1, 2])));
    assertCode("EINVAL", () => access.writeBytes(0x1800, anything("text")));
    assertCode("EINVAL", () => access.fill(0x1800, 4, anything(1n)));
    assertCode("EINVAL", () => access.struct(anything({ x: "u65" }), 0x1800));
    assertEquals(access.readU64(0x1800), 0n);
  }
});
