import { assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { assertCode } from "../support/codes.ts";
import { emptyVm, twoSlots } from "../support/memory.ts";

const texts = [
  "",
  "hello",
  "naïve",
  "日本語",
  "👩‍🚀🧑🏽‍💻",
  "\ufeffmarked",
  "a\ufeffb",
  "line\n\r\t\x01",
];

Deno.test("text comes back as it was written, whatever its characters", () => {
  using machine = twoSlots();
  const { memory, low } = machine;
  for (const text of texts) {
    const length = memory.writeString(0x1000, text);
    assertEquals(length, new TextEncoder().encode(text).length + 1);
    assertEquals(memory.readU8(0x1000 + length - 1), 0);
    assertEquals([memory.readString(0x1000), low.readString(0x1000)], [text, text]);
  }
});

Deno.test("text may cross from one slot into the next, at every byte of a character", () => {
  using machine = twoSlots();
  const { memory } = machine;
  for (const text of texts) {
    const { length } = new TextEncoder().encode(text);
    for (let below = 0; below <= length; below++) {
      memory.fill(0x2f00, 0x200, 0x41);
      memory.writeString(0x3000 - below, text);
      assertEquals(memory.readString(0x3000 - below), text, `${text}, ${below} bytes below`);
    }
  }
});

Deno.test("text without a zero within the limit is ERANGE", () => {
  using machine = twoSlots();
  const { memory } = machine;
  memory.fill(0x1000, 0x3000, 0x41);
  assertCode("ERANGE", () => memory.readString(0x1000, 10));
  const error = assertCode("ERANGE", () => memory.readString(0x1000));
  assertStringIncludes(error.hint!, "4096");
  memory.writeU8(0x100a, 0);
  assertCode("ERANGE", () => memory.readString(0x1000, 10));
  assertEquals(memory.readString(0x1000, 11), "AAAAAAAAAA");
  assertCode("ERANGE", () => memory.readString(0x1000, 0));
});

Deno.test("a zero behind the limit does not end the text, also across slots", () => {
  using machine = twoSlots();
  const { memory } = machine;
  memory.fill(0x2ff0, 0x20, 0x42);
  assertCode("ERANGE", () => memory.readString(0x2ff0, 0x20));
  assertEquals(memory.readString(0x2ff0, 0x21), "B".repeat(0x20));
});

Deno.test("text that runs out of memory before its zero is EFAULT", () => {
  using machine = twoSlots();
  const { memory, high } = machine;
  memory.fill(0x4ff0, 0x10, 0x41);
  assertCode("EFAULT", () => memory.readString(0x4ff0));
  assertCode("EFAULT", () => high.readString(0x4ff0));
  memory.writeU8(0x4fff, 0);
  assertEquals(memory.readString(0x4ff0), "A".repeat(15));
});

Deno.test("text at what is no address is EFAULT", () => {
  using machine = twoSlots();
  for (const address of [-1, 0, NaN, Infinity, -Infinity, 0x9000, 2 ** 53]) {
    assertCode("EFAULT", () => machine.memory.readString(address), String(address));
    assertCode("EFAULT", () => machine.memory.writeString(address, "x"), String(address));
  }
});

Deno.test("text too long for the memory is EFAULT, and nothing of it is written", () => {
  using machine = twoSlots();
  const { memory } = machine;
  assertCode("EFAULT", () => memory.writeString(0x4ffd, "abc"));
  assertEquals(memory.readU16(0x4ffd), 0);
  assertEquals(memory.writeString(0x4ffd, "ab"), 3);
});

Deno.test("bytes that are no UTF-8 read as replacement characters", () => {
  using machine = twoSlots();
  const { memory } = machine;
  memory.writeBytes(0x2ffe, Uint8Array.of(0xe6, 0x97, 0x00));
  assertEquals(memory.readString(0x2ffe), "\ufffd");
  memory.writeBytes(0x1000, Uint8Array.of(0x41, 0xff, 0x42, 0));
  assertEquals(memory.readString(0x1000), "A\ufffdB");
});

Deno.test("reading a short text costs the same in a large slot without zeroes", () => {
  using vm = emptyVm();
  const slot = vm.addMemory({ size: 64 << 20 });
  slot.fill(0, slot.size, 0x41);
  const start = performance.now();
  for (let turn = 0; turn < 20; turn++) assertCode("ERANGE", () => slot.readString(0, 16));
  // Searching all of the slot each time takes 64 MiB * 20, most of a second.
  assertLess(performance.now() - start, 100);
});
