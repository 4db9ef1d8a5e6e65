import { assertEquals } from "@std/assert";
import type { LoadOptions } from "../../src/loader/mod.ts";
import { concat, elf, note } from "./images.ts";
import { assertNoneCutOff, Target } from "./refusals.ts";
import { bytes, changed, imageOf, map, MIB, ram } from "./support.ts";

const elf64 = imageOf("elf64");
const pvh = imageOf("pvh");
const code = Uint8Array.of(0xf4, 0xf4, 0xf4, 0xf4);
const elf32 = elf({ bits: 32, entry: MIB, parts: [{ bytes: code, physAddr: MIB }] });

/** An ELF file with one segment. */
function one(bits: 32 | 64, physAddr: number, memorySize = 4): Uint8Array<ArrayBuffer> {
  return elf({ bits, entry: physAddr, parts: [{ bytes: code, physAddr, memorySize }] });
}

Deno.test("An ELF file that is cut off anywhere is refused", () => {
  assertNoneCutOff(elf64, { protocol: "elf" });
  assertNoneCutOff(elf32, { protocol: "elf" });
  assertNoneCutOff(pvh, { protocol: "pvh" });
});

type Case = readonly [what: string, change: Parameters<typeof changed>[1], hint: string];

/** Offsets in the headers of 64-bit files; the first program header is at 0x40. */
const malformed64: readonly Case[] = [
  ["another magic", [0, 1, 0x7e], "no ELF file begins like this"],
  ["no class", [4, 1, 0], "class is 1 or 2, not 0"],
  ["class 3", [4, 1, 3], "class is 1 or 2, not 3"],
  ["another byte order", [5, 1, 2], "not little-endian"],
  ["32-bit code in a 64-bit file", [0x12, 2, 3], "machine 62, not 3"],
  ["ARM's code", [0x12, 2, 183], "machine 62, not 183"],
  ["no linked program", [0x10, 2, 1], "type 1 is no program"],
  ["a core dump", [0x10, 2, 4], "type 4 is no program"],
  ["no program headers", [0x38, 2, 0], "no program headers"],
  ["program headers beyond counting", [0x38, 2, 0xffff], "65535 program headers"],
  ["program headers of another size", [0x36, 2, 32], "has 56 bytes, not 32"],
  ["program headers behind its end", [0x20, 8, 0x10_0000], "cut off"],
  ["program headers at an offset of 2^64 - 1", [0x20, 8, (1n << 64n) - 1n], "e_phoff"],
  ["program headers at an offset of 2^52", [0x20, 8, 1n << 52n], "cut off"],
  ["an interpreter", [0x40, 4, 3], "-static"],
  ["more bytes than memory", [0x40 + 0x28, 8, 4], "must be room"],
  ["bytes at an offset of 2^64 - 1", [0x48, 8, (1n << 64n) - 1n], "offset in the file"],
  ["bytes at an offset of 2^53", [0x48, 8, 1n << 53n], "offset in the file"],
  ["bytes behind its end", [0x48, 8, 0x1000], "cut off"],
  ["a physical address of 2^64 - 1", [0x58, 8, (1n << 64n) - 1n], "physical address"],
  ["a physical address of 2^52", [0x58, 8, 1n << 52n], "ends beyond"],
  ["a size of 2^64 - 1", [0x68, 8, (1n << 64n) - 1n], "size in memory"],
  ["a size of 2^52", [0x68, 8, 1n << 52n], "ends beyond"],
  ["an alignment of 3", [0x70, 8, 3], "no power of two"],
  ["an alignment of 2^63", [0x70, 8, 1n << 63n], "the alignment"],
  ["an entry behind all segments", [0x18, 8, 0x1234_5678], "0x12345678, is in no segment"],
  ["an entry of 2^64 - 1", [0x18, 8, (1n << 64n) - 1n], "is in no segment"],
];

for (const [what, change, hint] of malformed64) {
  Deno.test(`An ELF64 file with ${what} is refused`, () => {
    using target = new Target();
    target.refuse("ENOEXEC", hint, changed(elf64, change), { protocol: "elf" });
  });
}

/** The same for 32-bit files, whose first program header is at 0x34. */
const malformed32: readonly Case[] = [
  ["64-bit code in a 32-bit file", [0x12, 2, 62], "machine 3, not 62"],
  ["program headers of another size", [0x2a, 2, 56], "has 32 bytes, not 56"],
  ["program headers at an offset of 2^32 - 1", [0x1c, 4, 0xffff_ffff], "cut off"],
  ["bytes behind its end", [0x34 + 4, 4, 0xffff_ffff], "cut off"],
  ["more bytes than memory", [0x34 + 0x14, 4, 3], "must be room"],
  ["an entry just behind its segment", [0x18, 4, MIB + code.length], "is in no segment"],
  ["an entry just below its segment", [0x18, 4, MIB - 1], "is in no segment"],
];

for (const [what, change, hint] of malformed32) {
  Deno.test(`An ELF32 file with ${what} is refused`, () => {
    using target = new Target();
    target.refuse("ENOEXEC", hint, changed(elf32, change), { protocol: "elf" });
  });
}

Deno.test("Segments that overlap are refused, those that touch are not", () => {
  using target = new Target();
  const two = (physAddr: number) =>
    elf({
      bits: 64,
      entry: MIB,
      parts: [{ bytes: code, physAddr: MIB, memorySize: 0x1000 }, { bytes: code, physAddr }],
    });
  target.refuse("ENOEXEC", "Segments 0 and 1 overlap", two(MIB + 0xfff));
  target.refuse("ENOEXEC", "Segments 0 and 1 overlap", two(MIB));
  target.refuse("ENOEXEC", "Segments 1 and 0 overlap", two(MIB - 3));
  target.load(two(MIB + 0x1000));
});

Deno.test("Segments without memory are none", () => {
  using target = new Target();
  const nothing = { bytes: new Uint8Array(0), physAddr: 2 ** 52 };
  const parts = [nothing, { bytes: code, physAddr: MIB }];
  target.load(elf({ bits: 64, entry: MIB, parts }));
  const none = elf({ bits: 64, entry: MIB, parts: [nothing] });
  target.refuse("ENOEXEC", "anything to load", none, { protocol: "elf" });
});

const taken: readonly (readonly [what: string, address: number, size?: number])[] = [
  ["real mode's vectors", 0],
  ["the BIOS's data", 0x4fc],
  ["the GDT", 0x51c],
  ["the stack", 0x6000],
  ["the zero page", 0x7000],
  ["the zero page's last byte", 0x7fff],
  ["the page tables", 0xe000],
  ["the command line", 0x2_0000],
  ["the extended BIOS data", 0x9_fbfd],
  ["the video memory", 0xa_0000],
  ["the ACPI tables", 0xe_0000],
  ["the BIOS", 0xf_fffc],
  ["what is behind all RAM", 16 * MIB - 3],
  ["what is behind all RAM, with its zeroes", 15 * MIB, MIB + 1],
  ["a device", 0xfec0_0000],
  ["what is far behind all RAM", 2 ** 51],
];

for (const [what, address, size] of taken) {
  Deno.test(`A segment that would lie in ${what} is refused`, () => {
    using target = new Target();
    target.refuse("ENOMEM", "goes to", one(64, address, size), { protocol: "elf" });
  });
}

Deno.test("The firmware area is taken even if the memory map calls it usable", () => {
  using target = new Target();
  const memoryMap = ram([0, 16 * 1024]);
  target.refuse("ENOMEM", "0xe0000-0xe0003", one(64, 0xe_0000), { memoryMap });
  target.load(one(64, 0x9_0000), { memoryMap });
});

Deno.test("What the memory map reserves is no place, nor is what the guest can't write", () => {
  using target = new Target([
    { guestPhysAddr: 0, size: 8 * MIB },
    { guestPhysAddr: 8 * MIB, size: 8 * MIB, readonly: true },
  ]);
  const memoryMap = [...map.e820, { start: 2 * MIB, size: 4096, type: 3 as const }];
  target.refuse("ENOMEM", "usable RAM", one(64, 2 * MIB), { memoryMap });
  target.refuse("ENOMEM", "usable RAM", one(64, 9 * MIB), { memoryMap });
  target.load(one(64, 2 * MIB + 4096), { memoryMap });
});

Deno.test("A segment may lie across two slots of memory", () => {
  using target = new Target([
    { guestPhysAddr: 0, size: 2 * MIB },
    { guestPhysAddr: 2 * MIB, size: 2 * MIB },
  ]);
  const text = bytes("across the border");
  const physAddr = 2 * MIB - 5;
  const parts = [{ bytes: text, physAddr, memorySize: text.length + 3 }];
  target.load(elf({ bits: 64, entry: physAddr, parts }), { memoryMap: ram([0, 4096]) });
  assertEquals(target.memory.readBytes(physAddr, text.length), text);
  assertEquals([...target.memory.readBytes(physAddr + text.length, 4)], [0, 0, 0, 0xcc]);
});

Deno.test("32-bit code is entered below 4 GiB", () => {
  using target = new Target([
    { guestPhysAddr: 0, size: 16 * MIB },
    { guestPhysAddr: 2 ** 32 - MIB, size: 2 * MIB },
  ]);
  const memoryMap = [...map.e820, ...ram([2 ** 22 - 1024, 2048])];
  const image = elf({
    bits: 32,
    entry: 2 ** 32 - 1,
    parts: [{ bytes: code, physAddr: 2 ** 32 - 1, memorySize: 8 }],
  });
  target.load(image, { memoryMap });
  const entry = 2 ** 32;
  target.refuse("ENOEXEC", "entered below 4 GiB", image, { memoryMap, entry, protocol: "elf" });
});

Deno.test("The entry may be another one, within a segment", () => {
  using target = new Target();
  assertEquals(target.load(elf64, { entry: 0x20_0001 }).entry.rip, 0x20_0001);
  using other = new Target();
  other.refuse("EINVAL", "entry, 0x7000, is in no segment", elf64, { entry: 0x7000 });
});

Deno.test("A program that may be moved keeps its alignment; another one can't be moved", () => {
  using target = new Target();
  const image = (type: number) =>
    elf({
      bits: 64,
      entry: 0x20,
      type,
      parts: [{ bytes: code, physAddr: 0x20, align: 0x20_0000 }],
    });
  const load = (options: Partial<LoadOptions>) => target.load(image(3), options).entry.rip;
  target.refuse("EINVAL", "modulo the segments' alignment", image(3), { loadAddress: MIB });
  target.refuse("EINVAL", "fixed addresses", one(64, MIB), { loadAddress: MIB });
  assertEquals(load({}), 0x20_0020);
  assertEquals(load({ loadAddress: 0x40_0020 }), 0x40_0020);
});

Deno.test("A program far above needs more page tables than there is room for", () => {
  const slots = Array.from({ length: 20 }, (_, index) => ({
    guestPhysAddr: (index + 4) * 2 ** 39,
    size: 4096,
  }));
  using target = new Target([{ guestPhysAddr: 0, size: 16 * MIB }, ...slots]);
  const parts = slots.map(({ guestPhysAddr }) => ({ bytes: code, physAddr: guestPhysAddr }));
  const image = (count: number) =>
    elf({ bits: 64, entry: 4 * 2 ** 39, parts: parts.slice(0, count) });
  const memoryMap = [
    ...map.e820,
    ...slots.map(({ guestPhysAddr, size }) => ({ start: guestPhysAddr, size, type: 1 as const })),
  ];
  target.refuse("E2BIG", "Page tables for all of it take 98304 bytes", image(9), { memoryMap });
  assertEquals(target.load(image(8), { memoryMap }).entry.pageTables?.size, 22 * 4096);
});

Deno.test("A command line for a vmlinux has 2047 bytes at most, as Linux would cut it off", () => {
  using target = new Target();
  target.refuse("E2BIG", "takes 2047", elf64, { commandLine: "x".repeat(2048) });
  target.load(elf64, { commandLine: "x".repeat(2047) });
});

const xen = (type: number, ...descriptor: number[]) =>
  note("Xen", type, Uint8Array.from(descriptor));

/** An ELF file with notes behind its code. */
function noted(notes: Uint8Array, align = 4, bits: 32 | 64 = 64): Uint8Array<ArrayBuffer> {
  return elf({
    bits,
    entry: MIB,
    parts: [{ bytes: code, physAddr: MIB }, { type: 4, bytes: notes, physAddr: 0, align }],
  });
}

Deno.test("The PVH entry is found among other notes, in 4 bytes or 8", () => {
  using target = new Target();
  const other = note("GNU", 18, Uint8Array.of(1, 2, 3));
  const narrow = xen(18, 1, 0, 0x10, 0);
  const wide = xen(18, 2, 0, 0x10, 0, 0, 0, 0, 0);
  assertEquals(target.load(noted(concat([other, xen(6, 1), narrow]))).entry.rip, MIB + 1);
  assertEquals(target.load(noted(concat([other, xen(6, 1), wide]))).entry.rip, MIB + 2);
  assertEquals(target.load(noted(concat([other, narrow]), 4, 32)).entry.rip, MIB + 1);
  // With an alignment of 8 a name of 4 bytes ends where the descriptor begins.
  assertEquals(target.load(noted(wide, 8)).entry.rip, MIB + 2);
});

const notes: readonly (readonly [what: string, notes: Uint8Array, hint: string])[] = [
  ["no note of Xen's", note("GNU", 18, Uint8Array.of(0, 0, 0x10, 0)), "CONFIG_PVH"],
  ["another note of Xen's", xen(17, 0, 0, 0x10, 0), "CONFIG_PVH"],
  ["an entry of 3 bytes", xen(18, 0, 0, 0x10), "4 or 8 bytes, not 3"],
  ["an entry in no segment", xen(18, 0, 0, 0x20, 0), "0x200000, is in no segment"],
  ["an entry of 2^64 - 1", xen(18, ...Array(8).fill(0xff)), "beyond all physical"],
  ["a name that runs on", changed(xen(18, 0, 0, 0x10, 0), [0, 4, 0xffff_ffff]), "ends behind"],
  [
    "a descriptor that runs on",
    changed(xen(18, 0, 0, 0x10, 0), [4, 4, 0xffff_fff0]),
    "ends behind",
  ],
  ["64 KiB of notes and more", new Uint8Array(65_540), "more than 65536 bytes"],
];

for (const [what, content, hint] of notes) {
  Deno.test(`A PVH guest with ${what} is refused`, () => {
    using target = new Target();
    target.refuse("ENOEXEC", hint, noted(content), { protocol: "pvh" });
  });
}

Deno.test("PVH enters below 4 GiB", () => {
  using target = new Target([
    { guestPhysAddr: 0, size: 16 * MIB },
    { guestPhysAddr: 2 ** 32, size: MIB },
  ]);
  const image = elf({
    bits: 64,
    entry: 2 ** 32,
    parts: [
      { bytes: code, physAddr: 2 ** 32 },
      { type: 4, bytes: xen(18, 0, 0, 0, 0, 1, 0, 0, 0), physAddr: 0 },
    ],
  });
  const memoryMap = [...map.e820, ...ram([2 ** 22, 1024])];
  target.refuse("ENOEXEC", "PVH enters below 4 GiB", image, { memoryMap });
  target.load(image, { memoryMap, protocol: "elf" });
});

Deno.test("Without command line, modules and ACPI, PVH's start info says so", () => {
  using target = new Target();
  target.load(pvh, { memoryMap: map.e820 });
  const at = 0x7000;
  const { memory } = target;
  assertEquals([memory.readU32(at + 12), memory.readU64(at + 16), memory.readU64(at + 32)], [
    0,
    0n,
    0n,
  ]);
  assertEquals(memory.readString(Number(memory.readU64(at + 24))), "");
});

Deno.test("As many modules as there is room for are loaded, with as long command lines", () => {
  using target = new Target();
  const modules = (count: number, commandLine?: string) =>
    Array.from({ length: count }, () => ({ image: code, commandLine }));
  target.refuse("E2BIG", "start info has 8216 bytes", pvh, { modules: modules(252) });
  target.load(pvh, { modules: modules(251) });
  using other = new Target();
  const long = "x".repeat(1023);
  other.refuse("E2BIG", "The command lines have 65537 bytes", pvh, { modules: modules(64, long) });
  other.load(pvh, { modules: modules(63, long) });
});
