import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { guests } from "../../../guests/mod.ts";
import { copyExit, type IoRecord } from "../../../src/kvm/mod.ts";
import { assertCode } from "../../support/codes.ts";
import { CELLS, runUntil, startLong, startReal } from "../../support/machine.ts";

const IN_AL_DX_OUT = [0xba, 0xf8, 0x03, 0xec, 0xa3, 0x00, 0x20, 0xf4]; // mov dx, 0x3f8; in al, dx; mov [CELLS], ax; hlt

Deno.test("an OUT carries port, width and value, for each width and both ways to name the port", () => {
  using machine = startLong(guests.ioWidths);
  const seen: unknown[] = [];
  for (let turn = 0; turn < 6; turn++) {
    const { direction, port, size, count, value, data } = runUntil(machine.vcpu, "io");
    seen.push([direction, port, size, count, value, data.toHex()]);
  }
  const values = [[1, 0x11, "11"], [2, 0x2222, "2222"], [4, 0x3333_3333, "33333333"]] as const;
  assertEquals(
    seen,
    [0xe0, 0x1230].flatMap((port) =>
      values.map(([size, value, hex]) => ["out", port, size, 1, value, hex])
    ),
  );
});

Deno.test("an IN is answered by value, and the guest's register keeps the bits beyond its width", () => {
  using machine = startLong(guests.ioWidths);
  const { vcpu, memory } = machine;
  for (let turn = 0; turn < 6; turn++) runUntil(vcpu, "io");
  for (const port of [0xe0, 0x1230]) {
    for (const size of [1, 2, 4]) {
      const exit = runUntil(vcpu, "io");
      assertEquals([exit.direction, exit.port, exit.size, exit.count], ["in", port, size, 1]);
      exit.value = 0xa1b2_c3d4;
      assertEquals(exit.value, [0xd4, 0xc3d4, 0xa1b2_c3d4][Math.log2(size)]);
    }
  }
  runUntil(vcpu, "hlt");
  const ones = 0xffff_ffff_ffff_ffffn;
  const expected = [ones & ~0xffn | 0xd4n, ones & ~0xffffn | 0xc3d4n, 0xa1b2_c3d4n];
  assertEquals([...memory.array(BigUint64Array, CELLS, 6)], [...expected, ...expected]);
});

Deno.test("an IN is answered through data just as well", () => {
  using machine = startReal(IN_AL_DX_OUT);
  const exit = runUntil(machine.vcpu, "io");
  exit.data[0] = 0x5a;
  runUntil(machine.vcpu, "hlt");
  assertEquals(machine.memory.readU8(CELLS), 0x5a);
});

Deno.test("string instructions carry all their elements, in any number of exits", () => {
  using machine = startLong(guests.repIo);
  const { vcpu, memory } = machine;
  const out = { 1: "", 2: "", 4: "" };
  const sums = { 1: 0, 2: 0, 4: 0 };
  let next = 1;
  for (;;) {
    const exit = vcpu.run();
    if (exit.reason === "hlt") break;
    assert(exit.reason === "io", Deno.inspect(exit));
    const size = exit.size as 1 | 2 | 4;
    assertEquals([exit.port, exit.data.length], [0x1230 + size, size * exit.count]);
    assert(exit.count >= 1);
    if (exit.direction === "out") out[size] += exit.data.toHex();
    else {
      sums[size] += exit.count;
      for (const at of exit.data.keys()) exit.data[at] = next++;
    }
  }
  assertEquals(out, { 1: "6279746573", 2: "111122223333", 4: "4444444455555555" });
  assertEquals(sums, { 1: 5, 2: 3, 4: 2 });
  assertEquals([...memory.bytes(CELLS, 5)], [1, 2, 3, 4, 5]);
  assertEquals([...memory.bytes(CELLS + 0x10, 6)], [6, 7, 8, 9, 10, 11]);
  assertEquals([...memory.bytes(CELLS + 0x20, 8)], [12, 13, 14, 15, 16, 17, 18, 19]);
  assertEquals([vcpu.getRegs().rcx, vcpu.getRegs().rdi], [0n, 0x2028n]);
});

Deno.test("a value that answers a string IN goes to each element", () => {
  using machine = startLong(guests.repIo);
  const { vcpu, memory } = machine;
  for (let exit = vcpu.run(); exit.reason === "io"; exit = vcpu.run()) {
    if (exit.direction === "in") exit.value = 0x1122_3344;
  }
  assertEquals(memory.readBytes(CELLS, 6).toHex(), "444444444400");
  assertEquals(memory.readBytes(CELLS + 0x10, 7).toHex(), "44334433443300");
  assertEquals(memory.readBytes(CELLS + 0x20, 8).toHex(), "4433221144332211");
});

Deno.test("of a value's sign and of bits beyond the width nothing is left", () => {
  for (
    const [value, byte] of [[-1, 0xff], [0x1ff, 0xff], [256, 0], [2 ** 53 - 2, 0xfe]] as const
  ) {
    using machine = startReal(IN_AL_DX_OUT);
    runUntil(machine.vcpu, "io").value = value;
    runUntil(machine.vcpu, "hlt");
    assertEquals(machine.memory.readU8(CELLS), byte, String(value));
  }
});

Deno.test("a value that is no whole number is EINVAL, and answers nothing", () => {
  using machine = startReal(IN_AL_DX_OUT);
  const exit = runUntil(machine.vcpu, "io");
  exit.value = 0x77;
  // deno-lint-ignore no-explicit-any -- what the types forbid
  for (const value of ["5", 5n, null, undefined, {}, NaN, 0.5, Infinity, 2 ** 53] as any[]) {
    assertCode("EINVAL", () => exit.value = value, String(value));
  }
  assertEquals(exit.value, 0x77);
});

Deno.test("one object serves all exits of the kind, and reading it makes no new array each time", () => {
  using machine = startLong(guests.ports);
  const { vcpu } = machine;
  const first = runUntil(vcpu, "io");
  const { data } = first;
  const second = runUntil(vcpu, "io");
  assertStrictEquals(second, first);
  assertStrictEquals(second.data, data);
  assertEquals([first.value, data[0]], [2, 2]);
});

Deno.test("a copy does not change with the next run", () => {
  using machine = startLong(guests.ports);
  const { vcpu } = machine;
  const copies = [1, 2, 3].map(() => copyExit(runUntil(vcpu, "io")) as IoRecord);
  assertEquals(copies.map(({ data }) => data[0]), [1, 2, 3]);
  copies[0]!.data.fill(0xff);
  assertEquals(runUntil(vcpu, "io").value, 4);
});

Deno.test("an exit printed shows its fields", () => {
  using machine = startLong(guests.hello);
  const text = Deno.inspect(runUntil(machine.vcpu, "io"));
  for (
    const field of ['reason: "io"', 'direction: "out"', "port: 1016", "size: 1", "count: 1", "72"]
  ) {
    assert(text.includes(field), text);
  }
});
