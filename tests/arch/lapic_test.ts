import { assertEquals, assertStringIncludes } from "@std/assert";
import { LAPIC, LapicRegisters, LVT } from "../../src/arch/x86/mod.ts";
import { assertCode } from "../support/codes.ts";

Deno.test("an APIC's registers lie 16 bytes apart, at the manual's offsets", () => {
  const regs = new Uint8Array(1024);
  const registers = new LapicRegisters({ regs });
  registers.write("tpr", 0x20);
  registers.write("lvtTimer", LVT.PERIODIC | 0x31);
  registers.write("icrHigh", 0xff00_0000);
  assertEquals(regs[0x80], 0x20);
  assertEquals([...regs.subarray(0x320, 0x324)], [0x31, 0, 2, 0]);
  assertEquals(registers.read("icrHigh"), 0xff00_0000);
  for (const offset of Object.values(LAPIC)) assertEquals(offset % 16, 0);
});

Deno.test("a bank of 256 bits is read as the vectors whose bit is set", () => {
  const regs = new Uint8Array(1024);
  const registers = new LapicRegisters({ regs });
  assertEquals(registers.vectors("irr"), []);
  regs[0x200 + 16 * 1] = 1; // vector 32
  regs[0x200 + 16 * 7 + 3] = 0x80; // vector 255
  regs[0x100 + 1] = 0x02; // vector 9, in service
  assertEquals(registers.vectors("irr"), [32, 255]);
  assertEquals(registers.vectors("isr"), [9]);
  assertEquals(registers.vectors("tmr"), []);
});

Deno.test("the registers are read where they lie, even within a larger buffer", () => {
  const regs = new Uint8Array(new ArrayBuffer(2048), 512, 1024);
  new LapicRegisters({ regs }).write("id", 0x0300_0000);
  assertEquals(new Uint8Array(regs.buffer)[512 + 0x23], 3);
});

Deno.test("a register that an APIC does not have is refused", () => {
  const registers = new LapicRegisters({ regs: new Uint8Array(1024) });
  assertCode("EINVAL", () => registers.read("toString" as "id"));
  assertCode("EINVAL", () => registers.write("timer" as "id", 1));
  for (const name of [undefined, null, 0x20, NaN, {}, ["id"], Symbol("id")] as never[]) {
    assertCode("EINVAL", () => registers.read(name), Deno.inspect(name));
    assertCode("EINVAL", () => registers.write(name, 1), Deno.inspect(name));
    assertCode("EINVAL", () => registers.vectors(name), Deno.inspect(name));
  }
});

Deno.test("a register that is no bank has no vectors", () => {
  const registers = new LapicRegisters({ regs: new Uint8Array(1024) });
  for (const name of ["tpr", "timerDivide", "toString"]) {
    const { message } = assertCode("EINVAL", () => registers.vectors(name as "irr"), name);
    assertStringIncludes(message, "isr, tmr, irr");
  }
});

Deno.test("a register takes 32 bits, signed or not, and is left alone by what is none", () => {
  const registers = new LapicRegisters({ regs: new Uint8Array(1024) });
  registers.write("icrHigh", 0xff << 24);
  assertEquals(registers.read("icrHigh"), 0xff00_0000);
  registers.write("ldr", 2 ** 32 - 1);
  registers.write("dfr", -1);
  registers.write("tpr", -0);
  assertEquals([registers.read("ldr"), registers.read("dfr")], [2 ** 32 - 1, 2 ** 32 - 1]);
  const wrong = [
    undefined,
    null,
    NaN,
    0.5,
    2 ** 32,
    -(2 ** 31) - 1,
    Infinity,
    "1",
    1n,
    Symbol("1"),
  ];
  for (const value of wrong as never[]) {
    const { message } = assertCode("EINVAL", () => registers.write("ldr", value));
    assertStringIncludes(message, 'Cannot write the APIC\'s "ldr"');
  }
  assertEquals(registers.read("ldr"), 2 ** 32 - 1);
});

Deno.test("what has no APIC's page is refused", () => {
  for (
    const state of [
      undefined,
      null,
      5,
      {},
      { regs: null },
      { regs: new Uint8Array(1023) },
      { regs: new Uint32Array(256) },
    ] as never[]
  ) assertCode("EINVAL", () => new LapicRegisters(state), Deno.inspect(state));
});
