import { assertEquals } from "@std/assert";
import { MIB } from "./support.ts";
import { concat } from "./images.ts";
import { assertNoneCutOff, Target } from "./refusals.ts";
import { changed, imageOf, map, ram } from "./support.ts";

const image = imageOf("multiboot");
const options = { protocol: "multiboot" } as const;
const MAGIC = 0x1bad_b002;
/** The header's offset in the image, and its fields' in the header. */
const HEADER = 24;
const END = MIB + image.length;

/** The header with other flags, and the checksum that they need. */
function flagged(flags: number): Uint8Array<ArrayBuffer> {
  return changed(
    image,
    [HEADER + 4, 4, flags],
    [HEADER + 8, 4, -(MAGIC + flags) >>> 0],
  );
}

Deno.test("A Multiboot image that is cut off anywhere is refused", () => {
  assertNoneCutOff(image, options);
});

const malformed: readonly (readonly [string, Parameters<typeof changed>[1], string])[] = [
  ["no magic number", [HEADER, 4, MAGIC + 1], "no Multiboot header"],
  ["a wrong checksum", [HEADER + 8, 4, 0], "no Multiboot header"],
  ["a header above its own address", [HEADER + 12, 4, MIB - 1], "load_addr, 0x100000, is at most"],
  ["more before its header than there is", [HEADER + 12, 4, MIB + 25], "load_addr"],
  ["no end behind its header", [HEADER + 20, 4, MIB + 24], "load_end_addr"],
  ["an end behind the file's", [HEADER + 20, 4, END + 1], "cut off"],
  ["an end at 4 GiB", [HEADER + 20, 4, 0xffff_ffff], "cut off"],
  ["zeroes that end before they begin", [HEADER + 24, 4, END - 1], "bss_end_addr"],
  ["an entry below it", [HEADER + 28, 4, MIB - 1], "0xfffff, is not in the image"],
  ["an entry behind its zeroes", [HEADER + 28, 4, END + 0x2000], "is not in the image"],
];

for (const [what, change, hint] of malformed) {
  Deno.test(`A Multiboot image with ${what} is refused`, () => {
    using target = new Target();
    target.refuse("ENOEXEC", hint, changed(image, change), options);
  });
}

Deno.test("Zeroes up to 4 GiB are more than there is RAM", () => {
  using target = new Target();
  target.refuse("ENOMEM", "usable RAM", changed(image, [HEADER + 24, 4, 0xffff_ffff]), options);
});

Deno.test("A Multiboot header that asks for what the loader does not know is refused", () => {
  using target = new Target();
  target.refuse("ENOEXEC", "asks for a video mode", flagged(0x1_0007), options);
  target.refuse("ENOEXEC", "flags 0x8000", flagged(0x1_8003), options);
  // From bit 17 on, a loader may ignore what it does not know.
  target.load(flagged(0xfffd_0003), options);
});

Deno.test("Without address fields, a Multiboot image is an ELF file", () => {
  using target = new Target();
  target.refuse("ENOEXEC", "no ELF file begins like this", flagged(3), options);
});

Deno.test("The header is found up to the last of 8192 bytes, at a multiple of four", () => {
  using target = new Target();
  const shifted = (by: number) => {
    const moved = concat([new Uint8Array(by), image]);
    return moved;
  };
  const last = 8192 - 12 - HEADER;
  assertEquals(target.load(shifted(last), options).protocol, "multiboot");
  target.refuse("ENOEXEC", "no Multiboot header", shifted(last + 4), options);
  target.refuse("ENOEXEC", "no Multiboot header", shifted(2), options);
});

Deno.test("Modules lie behind the kernel's zeroes, on pages of their own", () => {
  using target = new Target();
  const modules = [1, 4096, 4097].map((size) => ({ image: new Uint8Array(size) }));
  const { regions } = target.load(image, { ...options, modules });
  const places = regions.filter(({ what }) => what.startsWith("module"));
  assertEquals(places.map(({ guestPhysAddr }) => guestPhysAddr), [0x10_3000, 0x10_4000, 0x10_5000]);
  const large = [{ image: new Uint8Array(16 * MIB) }];
  target.refuse("ENOMEM", "The module 0 needs", image, { ...options, modules: large });
});

Deno.test("A Multiboot kernel in low memory has its modules above 1 MiB", () => {
  using target = new Target();
  const low = changed(
    image,
    [HEADER + 12, 4, 0x3_0000 + HEADER],
    [HEADER + 16, 4, 0x3_0000],
    [HEADER + 20, 4, 0],
    [HEADER + 24, 4, 0],
    [HEADER + 28, 4, 0x3_0000 + HEADER],
  );
  const { regions } = target.load(low, { ...options, initrd: Uint8Array.of(1) });
  assertEquals(regions.at(-1), { what: "initrd", guestPhysAddr: MIB, size: 1 });
});

Deno.test("Multiboot's memory sizes end at the first hole", () => {
  using target = new Target();
  const memoryMap = ram([0, 500], [600, 39], [1024, 2048], [4096, 12 * 1024]);
  target.load(image, { ...options, memoryMap });
  assertEquals(target.memory.readU32(0x7000 + 4), 500);
  assertEquals(target.memory.readU32(0x7000 + 8), 2048);
  assertEquals(target.memory.readU32(0x7000 + 44), 24 * memoryMap.length);
});

Deno.test("A Multiboot kernel's list of modules and the memory map have room for 8 KiB", () => {
  using target = new Target();
  const modules = Array.from({ length: 600 }, () => ({ image: Uint8Array.of(1) }));
  const few = { ...options, memoryMap: map.e820 };
  target.refuse("E2BIG", "Multiboot information has 9784 bytes", image, { ...few, modules });
  target.load(image, { ...few, modules: modules.slice(0, 500) });
});
