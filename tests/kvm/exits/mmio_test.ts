import { assert, assertEquals, assertThrows } from "@std/assert";
import { guests } from "../../../guests/mod.ts";
import { copyExit, type MmioRecord } from "../../../src/kvm/mod.ts";
import { assertCode } from "../../support/codes.ts";
import { CELLS, runUntil, startLong } from "../../support/machine.ts";

const WIDTHS = [1, 2, 4, 8] as const;

Deno.test("writes of each width carry address, length and value", () => {
  using machine = startLong(guests.mmio);
  const values = [0x11n, 0x2222n, 0x4444_4444n, 0x8888_8888_8888_8888n];
  for (const [index, len] of WIDTHS.entries()) {
    const exit = runUntil(machine.vcpu, "mmio");
    assertEquals([exit.physAddr, exit.len, exit.isWrite], [0xd000_0000 + 0x10 * index, len, true]);
    assertEquals([exit.data.length, exit.bigValue], [len, values[index]]);
    if (len < 8) assertEquals(exit.value, Number(values[index]));
    else assertCode("ERANGE", () => exit.value);
  }
});

for (
  const [name, answer] of [
    ["value", (exit: { value: number }) => exit.value = 0x11_2233_4455_6677],
    ["bigValue", (exit: { bigValue: bigint }) => exit.bigValue = 0x0011_2233_4455_6677n],
    [
      "data",
      (exit: { data: Uint8Array }) =>
        exit.data.set(Uint8Array.fromHex("7766554433221100").subarray(0, exit.data.length)),
    ],
  ] as const
) {
  Deno.test(`reads of each width are answered by ${name}, of which they take the low bytes`, () => {
    using machine = startLong(guests.mmio);
    const { vcpu, memory } = machine;
    for (let turn = 0; turn < 4; turn++) runUntil(vcpu, "mmio");
    for (const [index, len] of WIDTHS.entries()) {
      const exit = runUntil(vcpu, "mmio");
      assertEquals([exit.physAddr, exit.len, exit.isWrite], [
        0xd000_0000 + 0x10 * index,
        len,
        false,
      ]);
      answer(exit);
    }
    runUntil(vcpu, "mmio");
    assertEquals([...memory.array(BigUint64Array, CELLS, 4)], [
      0x77n,
      0x6677n,
      0x4455_6677n,
      0x0011_2233_4455_6677n,
    ]);
  });
}

Deno.test("a write across a page boundary comes as one exit for each page", () => {
  using machine = startLong(guests.mmio);
  const { vcpu } = machine;
  for (let turn = 0; turn < 8; turn++) runUntil(vcpu, "mmio");
  const parts = [1, 2].map(() => copyExit(runUntil(vcpu, "mmio")) as MmioRecord);
  assertEquals(parts.map(({ physAddr, len, data }) => [physAddr, len, data.toHex()]), [
    [0xd000_0ffe, 2, "aabb"],
    [0xd000_1000, 2, "ccdd"],
  ]);
  runUntil(vcpu, "hlt");
});

Deno.test("of a write that begins in memory only the part behind it is an exit", () => {
  const end = 2 << 20;
  using machine = startLong(guests.mmio, { registers: { rdi: BigInt(end) } });
  const { vcpu, memory } = machine;
  for (let turn = 0; turn < 10; turn++) runUntil(vcpu, "mmio");
  const exit = runUntil(vcpu, "mmio");
  assertEquals([exit.physAddr, exit.len, exit.data.toHex()], [end, 2, "ccdd"]);
  runUntil(vcpu, "hlt");
  assertEquals(memory.readU16(end - 2), 0xbbaa);
});

Deno.test("a read across a page boundary is put together from two answers", () => {
  using machine = startLong(guests.copy, { registers: { rsi: 0xd000_0ffdn, rdi: 0x3000n } });
  const { vcpu, memory } = machine;
  const first = runUntil(vcpu, "mmio");
  assertEquals([first.physAddr, first.len], [0xd000_0ffd, 3]);
  assertEquals(first.data.length, 3);
  first.value = 0x33_2211;
  const second = runUntil(vcpu, "mmio");
  assertEquals([second.physAddr, second.len], [0xd000_1000, 5]);
  assertEquals(second.data.length, 5);
  second.bigValue = 0x88_7766_5544n;
  assertEquals([second.value, second.bigValue], [0x88_7766_5544, 0x88_7766_5544n]);
  runUntil(vcpu, "hlt");
  assertEquals(memory.readU64(0x3000), 0x8877_6655_4433_2211n);
});

Deno.test("negative numbers answer with their two's complement", () => {
  using machine = startLong(guests.copy, { registers: { rsi: 0xd000_0000n, rdi: 0x3000n } });
  runUntil(machine.vcpu, "mmio").value = -2;
  runUntil(machine.vcpu, "hlt");
  assertEquals(machine.memory.readU64(0x3000), 0xffff_ffff_ffff_fffen);
});

Deno.test("an answer that is no whole number, or no bigint, is an error and answers nothing", () => {
  using machine = startLong(guests.copy, { registers: { rsi: 0xd000_0000n, rdi: 0x3000n } });
  const exit = runUntil(machine.vcpu, "mmio");
  exit.value = 7;
  // deno-lint-ignore no-explicit-any -- what the types forbid
  for (const value of [0.5, NaN, Infinity, 2 ** 53, "7", 7n, null, undefined] as any[]) {
    assertCode("EINVAL", () => exit.value = value, String(value));
  }
  // deno-lint-ignore no-explicit-any -- what the types forbid
  for (const value of [7, null, undefined] as any[]) assertThrows(() => exit.bigValue = value);
  assertEquals([exit.value, exit.bigValue], [7, 7n]);
});

Deno.test("an exit printed shows its fields, and a copy keeps them", () => {
  using machine = startLong(guests.mmio);
  const exit = runUntil(machine.vcpu, "mmio");
  const text = Deno.inspect(exit);
  for (const field of ['reason: "mmio"', "physAddr: 3489660928", "len: 1", "isWrite: true", "17"]) {
    assert(text.includes(field), text);
  }
  const copy = copyExit(exit) as MmioRecord;
  runUntil(machine.vcpu, "mmio");
  assertEquals([copy.physAddr, copy.len, copy.data.toHex()], [0xd000_0000, 1, "11"]);
});
