import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { assertCode } from "../support/codes.ts";
import { accesses, emptyVm, SLOT, twoSlots, views } from "../support/memory.ts";

const strange = [
  -1,
  -0x1000,
  NaN,
  Infinity,
  -Infinity,
  2 ** 32,
  2 ** 53,
  2 ** 53 - 1,
  2 ** 64,
  1e300,
];

for (const name of ["a slot", "all memory"] as const) {
  const of = (machine: ReturnType<typeof twoSlots>) =>
    name === "a slot" ? machine.far : machine.memory;
  const end = 0x10000 + SLOT;

  for (const length of [1, 2, 4, 8, 100]) {
    Deno.test(`the last ${length} bytes of ${name} can be accessed, and not one further`, () => {
      using machine = twoSlots();
      const all = { ...accesses(of(machine), length), ...views(of(machine), length) };
      for (const [kind, access] of Object.entries(all)) {
        access(end - length);
        access(0x10000);
        for (let over = 1; over <= length; over++) {
          assertCode("EFAULT", () => access(end - length + over), `${kind} ${over} over the end`);
        }
        assertCode("EFAULT", () => access(0x10000 - 1), `${kind} before the first`);
      }
    });

    Deno.test(`${length} bytes at what is no address of ${name} are EFAULT`, () => {
      using machine = twoSlots();
      const all = { ...accesses(of(machine), length), ...views(of(machine), length) };
      for (const [kind, access] of Object.entries(all)) {
        for (const address of strange) {
          assertCode("EFAULT", () => access(address), `${kind} ${address}`);
        }
      }
    });
  }

  Deno.test(`a fractional address of ${name} is an error, and not rounded`, () => {
    using machine = twoSlots();
    for (const [kind, access] of Object.entries(accesses(of(machine), 2))) {
      assertCode("EFAULT", () => access(0x10000 + 0.5), kind);
    }
    for (const [kind, access] of Object.entries(views(of(machine), 2))) {
      assertCode("EFAULT", () => access(0x10000 + 0.5), kind);
    }
    assertCode("EFAULT", () => of(machine).readString(0x10000 + 0.5));
  });

  Deno.test(`a length that is no whole number from 0 is EINVAL in ${name}`, () => {
    using machine = twoSlots();
    const memory = of(machine);
    for (const length of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
      const calls = {
        readBytes: () => memory.readBytes(0x10000, length),
        fill: () => memory.fill(0x10000, length),
        copy: () => memory.copy(0x10000, 0x10100, length),
        bytes: () => memory.bytes(0x10000, length),
        array: () => memory.array(Uint8Array, 0x10000, length),
        readString: () => memory.readString(0x10000, length),
      };
      for (const [kind, call] of Object.entries(calls)) {
        assertCode("EINVAL", call, `${kind} of ${length}`);
      }
    }
  });

  Deno.test(`a length far beyond ${name} is EFAULT before anything is allocated or written`, () => {
    using machine = twoSlots();
    const memory = of(machine);
    memory.writeU8(0x10000, 0xaa);
    for (const length of [SLOT + 1, 2 ** 32, 2 ** 40, 2 ** 52]) {
      assertCode("EFAULT", () => memory.readBytes(0x10000, length));
      assertCode("EFAULT", () => memory.fill(0x10000, length));
      assertCode("EFAULT", () => memory.copy(0x10000, 0x10800, length));
      assertCode("EFAULT", () => memory.bytes(0x10000, length));
    }
    assertEquals(memory.readU8(0x10000), 0xaa);
  });

  Deno.test(`nothing can be read, written and looked at in ${name}`, () => {
    using machine = twoSlots();
    const memory = of(machine);
    assertEquals(memory.readBytes(0x10000, 0).length, 0);
    memory.writeBytes(end, new Uint8Array(0));
    memory.fill(end, 0);
    memory.copy(0x10000, end, 0);
    assertEquals(memory.bytes(end, 0).length, 0);
    assertEquals(memory.array(BigUint64Array, 0x10000, 0).length, 0);
  });
}

Deno.test("an access across a gap between slots is EFAULT, and nothing of it is written", () => {
  using machine = twoSlots();
  const { memory, high } = machine;
  high.fill(0x4000, 0x1000, 0x55);
  for (const length of [2, 4, 8, 0xb800]) {
    for (const [kind, access] of Object.entries(accesses(memory, length))) {
      assertCode("EFAULT", () => access(0x5000 - 1), kind);
    }
  }
  assertCode("EFAULT", () => memory.copy(0x4ff0, 0x10000, 0x20));
  assertCode("EFAULT", () => memory.copy(0x10000, 0x4ff0, 0x20));
  assert(high.bytes(0x4000, 0x1000).every((byte) => byte === 0x55));
});

Deno.test("a slot's accesses end at the slot, also where another follows", () => {
  using machine = twoSlots();
  const { low, high } = machine;
  assertCode("EFAULT", () => low.readU16(0x2fff));
  assertCode("EFAULT", () => low.readU8(0x3000));
  assertCode("EFAULT", () => high.writeBytes(0x2fff, new Uint8Array(2)));
  assertCode("EFAULT", () => low.copy(0x2000, 0x2fff, 2));
});

Deno.test("the error says what was tried, and where memory is", () => {
  using machine = twoSlots();
  const { memory, low } = machine;
  const one = assertCode("EFAULT", () => memory.readU8(0x9000));
  assertEquals(
    one.message,
    "Cannot read memory (1 byte at 0x9000): EFAULT. " +
      "Guest memory is 0x1000-0x2fff, 0x3000-0x4fff, 0x10000-0x11fff",
  );
  const many = assertCode("EFAULT", () => low.writeBytes(0x2ffe, new Uint8Array(3)));
  assertEquals(
    many.message,
    "Cannot write memory (3 bytes at 0x2ffe): EFAULT. Guest memory is 0x1000-0x2fff",
  );
  assertStringIncludes(assertCode("EFAULT", () => memory.readU32(NaN)).message, "4 bytes at NaN");
});

Deno.test("a negative address is told with its sign before the number", () => {
  using vm = twoSlots();
  const { operation } = assertCode("EFAULT", () => vm.memory.readBytes(-64, 64));
  assertStringIncludes(operation, "(64 bytes at -0x40)");
});

Deno.test("without any memory the error says so", () => {
  using vm = emptyVm();
  const error = assertCode("EFAULT", () => vm.memory.readU8(0));
  assertStringIncludes(error.hint!, "No memory has been added");
  assertEquals(vm.memory.slotAt(0), undefined);
});
