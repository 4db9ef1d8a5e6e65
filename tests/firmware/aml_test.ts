import { assertEquals } from "@std/assert";
import {
  arg,
  buffer,
  device,
  eisaId,
  integer,
  interrupt,
  io,
  irqNoFlags,
  local,
  memory32Fixed,
  method,
  name,
  nameString,
  numberedName,
  packageOf,
  pkgLength,
  resourceTemplate,
  returnValue,
  scope,
  store,
  text,
} from "../../src/firmware/acpi/aml/mod.ts";
import { assertCode } from "../support/codes.ts";

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

Deno.test("an integer takes the fewest bytes (ACPI 20.2.3)", () => {
  const encodings: readonly (readonly [number | bigint, string])[] = [
    [0, "00"],
    [1, "01"],
    [2, "0a 02"],
    [0xff, "0a ff"],
    [0x100, "0b 00 01"],
    [0xffff, "0b ff ff"],
    [0x1_0000, "0c 00 00 01 00"],
    [0xffff_ffff, "0c ff ff ff ff"],
    [0x1_0000_0000, "0e 00 00 00 00 01 00 00 00"],
    [2n ** 64n - 2n, "0e fe ff ff ff ff ff ff ff"],
    [2n ** 64n - 1n, "ff"],
  ];
  for (const [value, encoding] of encodings) assertEquals(hex(integer(value)), encoding);
});

Deno.test("what is no integer of 64 bits is refused", () => {
  for (const value of [-1, -1n, 0.5, NaN, Infinity, 2 ** 53, 2n ** 64n]) {
    assertCode("EINVAL", () => integer(value), String(value));
  }
});

Deno.test("a length counts its own bytes, and keeps four bits in the first one (ACPI 20.2.4)", () => {
  const encodings: readonly (readonly [size: number, string])[] = [
    [0, "01"],
    [62, "3f"],
    [63, "41 04"],
    [0xfff - 2, "4f ff"],
    [0xfff - 1, "81 00 01"],
    [0xf_ffff - 3, "8f ff ff"],
    [0xf_ffff - 2, "c1 00 00 01"],
    [0xfff_ffff - 4, "cf ff ff ff"],
  ];
  for (const [size, encoding] of encodings) assertEquals(hex(pkgLength(size)), encoding, `${size}`);
  assertCode("E2BIG", () => pkgLength(0xfff_ffff - 3));
});

Deno.test("names have four characters, and paths say how many names they have (ACPI 20.2.2)", () => {
  assertEquals(hex(nameString("_CRS")), "5f 43 52 53");
  assertEquals(hex(nameString("A")), "41 5f 5f 5f");
  assertEquals(hex(nameString("\\_SB")), "5c 5f 53 42 5f");
  assertEquals(hex(nameString("^^ABCD")), "5e 5e 41 42 43 44");
  assertEquals(hex(nameString("\\_SB.PCI0")), "5c 2e 5f 53 42 5f 50 43 49 30");
  assertEquals(hex(nameString("A.B.C")), "2f 03 41 5f 5f 5f 42 5f 5f 5f 43 5f 5f 5f");
  assertEquals(hex(nameString("\\")), "5c 00");
  // The specification's own example: 35 names take 142 bytes.
  const long = nameString(Array(35).fill("ABCD").join("."));
  assertEquals(hex(long.subarray(0, 2)), "2f 23");
  assertEquals(long.length, 142);
  assertEquals(nameString(Array(255).fill("A").join(".")).length, 2 + 4 * 255);
});

Deno.test("what is no name is refused", () => {
  const names = [
    "",
    "abcd",
    "ABCDE",
    "1ABC",
    "A-B",
    "A B",
    "A.",
    ".A",
    "A..B",
    "A\\B",
    "\\^A",
    "^\\A",
    "\\\\A",
    "A^",
    "Ä",
    "A\0",
    "A\n",
    "\n",
    "\\\n",
    Array(256).fill("A").join("."),
  ];
  for (const bad of names) {
    assertCode("EINVAL", () => nameString(bad), JSON.stringify(bad));
    assertCode("EINVAL", () => scope(bad), JSON.stringify(bad));
  }
  for (const bad of [...names, "\\", "^", "\\A", "^A", "A.B"]) {
    assertCode("EINVAL", () => name(bad, integer(0)), JSON.stringify(bad));
    assertCode("EINVAL", () => device(bad), JSON.stringify(bad));
    assertCode("EINVAL", () => method(bad, {}), JSON.stringify(bad));
  }
});

Deno.test("objects that are many are numbered as far as four characters go", () => {
  assertEquals(numberedName("C", 0), "C000");
  assertEquals(numberedName("C", 0xabc), "CABC");
  assertEquals(numberedName("COM", 15), "COMF");
  assertCode("EINVAL", () => numberedName("COM", 16));
  assertCode("EINVAL", () => numberedName("C", 0x1000));
  assertCode("EINVAL", () => numberedName("C", -1));
  assertCode("EINVAL", () => numberedName("", 1));
});

Deno.test("an EISA id is three letters of five bits and four digits, big-endian", () => {
  assertEquals(hex(eisaId("PNP0501")), "0c 41 d0 05 01");
  assertEquals(hex(eisaId("PNP0A03")), "0c 41 d0 0a 03");
  for (const bad of ["", "PNP", "PNP050", "PNP05011", "pnp0501", "PN10501", "PNP050G", "PNP0a03"]) {
    assertCode("EINVAL", () => eisaId(bad), bad);
  }
});

Deno.test("text ends with a zero and has none inside", () => {
  assertEquals(hex(text("AB")), "0d 41 42 00");
  assertEquals(hex(text("")), "0d 00");
  for (const bad of ["A\0B", "é", "\u{1f600}", "\x80"]) assertCode("EINVAL", () => text(bad), bad);
});

Deno.test("buffers and packages say how much they hold (ACPI 20.2.5.4)", () => {
  assertEquals(hex(buffer(Uint8Array.of(7, 8, 9))), "11 06 0a 03 07 08 09");
  assertEquals(hex(packageOf(integer(5), integer(0), text("A"))), "12 08 03 0a 05 00 0d 41 00");
  assertEquals(packageOf(...Array(255).fill(integer(0))).length, 1 + 2 + 1 + 255);
  assertCode("EINVAL", () => packageOf(...Array(256).fill(integer(0))));
});

Deno.test("scopes, devices and names nest (ACPI 20.2.5.1, 20.2.5.2)", () => {
  const encoded = scope("\\_SB", device("D", name("_UID", integer(1))));
  assertEquals(
    hex(encoded),
    ["10 13 5c 5f 53 42 5f", "5b 82 0b 44 5f 5f 5f", "08 5f 55 49 44 01"].join(" "),
  );
});

Deno.test("a method stores and returns (ACPI 20.2.5.3, 20.2.5.4)", () => {
  const encoded = method(
    "M",
    { args: 2, serialized: true },
    store(arg(1), local(0)),
    returnValue(local(0)),
  );
  assertEquals(hex(encoded), "14 0b 4d 5f 5f 5f 0a 70 69 60 a4 60");
  for (const bad of [-1, 8, 0.5, NaN]) {
    assertCode("EINVAL", () => method("M", { args: bad }), `${bad} arguments`);
    assertCode("EINVAL", () => local(bad), `local ${bad}`);
  }
  assertCode("EINVAL", () => arg(7));
});

Deno.test("resources have the descriptors of ACPI 6.4, and a template ends them", () => {
  assertEquals(hex(irqNoFlags(4)), "22 10 00");
  assertEquals(hex(irqNoFlags(15)), "22 00 80");
  assertEquals(hex(io(0x3f8, 8)), "47 01 f8 03 f8 03 01 08");
  assertEquals(
    hex(memory32Fixed(0xd001_0000, 0x200)),
    "86 09 00 01 00 00 01 d0 00 02 00 00",
  );
  assertEquals(hex(interrupt(5)), "89 06 00 01 01 05 00 00 00");
  assertEquals(
    hex(interrupt(0x102, { edge: true, activeLow: true, shared: true })),
    "89 06 00 0f 01 02 01 00 00",
  );
  assertEquals(hex(resourceTemplate(irqNoFlags(1))), "11 08 0a 05 22 02 00 79 00");
});

Deno.test("resources that can't be are refused", () => {
  for (const bad of [-1, 16, 0.5, NaN]) assertCode("EINVAL", () => irqNoFlags(bad), `IRQ ${bad}`);
  assertCode("EINVAL", () => io(0xffff, 2));
  assertCode("EINVAL", () => io(0x3f8, 0));
  assertCode("EINVAL", () => io(0x3f8, 256));
  assertCode("EINVAL", () => memory32Fixed(0xffff_f000, 0x2000));
  assertCode("EINVAL", () => memory32Fixed(0x1_0000_0000, 1));
  assertCode("EINVAL", () => memory32Fixed(0, 0));
  assertCode("EINVAL", () => interrupt(2 ** 32));
});
