import { assert, assertEquals } from "@std/assert";
import { bootParams } from "../../src/loader/linux/boot_params.ts";
import { plain } from "../../ffi/mod.ts";
import { assertNoneCutOff, Target } from "./refusals.ts";
import { bytes, changed, imageOf, map, MIB, ram } from "./support.ts";

const image = imageOf("linux");
const options = { protocol: "linux" } as const;
const INIT_SIZE = 0x8_0000;

Deno.test("A bzImage that is cut off anywhere is refused", () => {
  // Sixteen bytes count as one: the last 15 may be missing.
  assertNoneCutOff(image, options, image.length - 15);
  using target = new Target();
  target.load(image.subarray(0, image.length - 15), options);
});

const malformed: readonly (readonly [string, Parameters<typeof changed>[1], string])[] = [
  ["no signature of a boot sector", [0x1fe, 2, 0xaa54], "0xaa55, not 0xaa54"],
  ["no HdrS", [0x202, 4, 0x53726449], '"HdrS"'],
  ["protocol 2.05", [0x206, 2, 0x0205], "0x205 is older than 0x206"],
  ["a header that ends before its fields", [0x201, 1, 0x61], "ends at 0x263"],
  ["a header that runs into the next field", [0x201, 1, 0x8f], "ends at 0x291"],
  ["a zImage", [0x211, 1, 0], "build a bzImage"],
  ["no code", [0x1f4, 4, 0], "syssize is 0"],
  ["code behind the image's end", [0x1f4, 4, 0x7c], "cut off"],
  ["more code than 32 bits can count", [0x1f4, 4, 0xffff_ffff], "cut off"],
  ["more setup code than there is", [0x1f1, 1, 255], "cut off"],
  ["code that ends before its 64-bit entry", [0x1f4, 4, 0x20], "64-bit entry"],
  ["an alignment that is no power of two", [0x230, 4, 0x3000], "no power of two"],
  ["no alignment", [0x230, 4, 0], "no power of two"],
  ["a preferred address beyond all memory", [0x258, 8, 1n << 53n], "beyond all physical"],
];

for (const [what, change, hint] of malformed) {
  Deno.test(`A bzImage with ${what} is refused`, () => {
    using target = new Target();
    target.refuse("ENOEXEC", hint, changed(image, change), options);
  });
}

Deno.test("Four sectors of setup code are meant by none", () => {
  using target = new Target();
  const setup = 5 * 512;
  const long = new Uint8Array(setup + image.length - 1024);
  long.set(image.subarray(0, 1024));
  long.set(image.subarray(1024), setup);
  target.load(changed(long, [0x1f1, 1, 0]), options);
  assertEquals(target.memory.readBytes(MIB, 32), image.slice(1024, 1056));
});

Deno.test("What lies behind the kernel in the file is not loaded", () => {
  using target = new Target();
  const signed = new Uint8Array(image.length + 100).fill(0x55);
  signed.set(image);
  target.load(signed, options);
  const end = MIB + image.length - 1024;
  assertEquals([target.memory.readU8(end - 1), target.memory.readU8(end)], [image.at(-1), 0xcc]);
});

Deno.test("A kernel has its preferred place, with all the memory that it needs to unpack", () => {
  using target = new Target();
  assertEquals(target.place(image, options, "kernel"), [MIB, INIT_SIZE]);
  const high = changed(image, [0x258, 8, 5 * MIB]);
  assertEquals(target.place(high, options, "kernel"), [5 * MIB, INIT_SIZE]);
});

Deno.test("A kernel whose preferred place is taken goes above it, aligned", () => {
  using target = new Target();
  const memoryMap = ram([0, 639], [1024, 256], [2 * 1024 + 4, 8 * 1024]);
  const place = target.place(image, { ...options, memoryMap }, "kernel");
  assertEquals(place, [2 * MIB + 0x1_0000, INIT_SIZE]);
});

Deno.test("A kernel that is loaded below its preferred place has that one, too", () => {
  using target = new Target();
  const high = changed(image, [0x258, 8, 4 * MIB]);
  const { regions } = target.load(high, { ...options, loadAddress: MIB });
  const kernel = regions.filter(({ what }) => what.startsWith("kernel"));
  assertEquals(kernel, [
    { what: "kernel", guestPhysAddr: MIB, size: image.length - 1024 },
    { what: "kernel's place to run", guestPhysAddr: 4 * MIB, size: INIT_SIZE },
  ]);
  const overlapping = changed(image, [0x230, 4, 0x200], [0x258, 8, MIB + 0x200]);
  const place = target.place(overlapping, { ...options, loadAddress: MIB }, "kernel");
  assertEquals(place, [MIB, INIT_SIZE + 0x200]);
});

Deno.test("A kernel that can't be moved is loaded to 1 MiB and nowhere else", () => {
  using target = new Target();
  const fixed = changed(image, [0x234, 1, 0], [0x230, 4, 0], [0x258, 8, 3 * MIB]);
  target.refuse("EINVAL", "not relocatable", fixed, { ...options, loadAddress: 2 * MIB });
  const { regions, entry } = target.load(fixed, { ...options, loadAddress: MIB });
  assertEquals(entry.rip, MIB + 0x200);
  assertEquals(regions.at(-1), {
    what: "kernel's place to run",
    guestPhysAddr: 3 * MIB,
    size: INIT_SIZE,
  });
});

Deno.test("A load address is a multiple of the kernel's alignment, below 4 GiB, in RAM", () => {
  using target = new Target();
  target.refuse("EINVAL", "alignment, 0x10000", image, { ...options, loadAddress: MIB + 4096 });
  target.refuse("EINVAL", "above 4 GiB", image, { ...options, loadAddress: 2 ** 32 });
  target.refuse("ENOMEM", "usable RAM", image, { ...options, loadAddress: 16 * MIB });
  target.refuse("ENOMEM", "usable RAM", image, { ...options, loadAddress: 0xe_0000 });
});

Deno.test("A kernel that needs more than there is says how much, and where is RAM", () => {
  using target = new Target();
  const hungry = changed(image, [0x260, 4, 0xffff_ffff]);
  target.refuse("ENOMEM", "needs 4294967295 bytes", hungry, options);
  target.refuse("ENOMEM", "0x100000-0xffffff", hungry, options);
});

Deno.test("An initial ramdisk lies at the top of low memory, or where the kernel can reach it", () => {
  using target = new Target();
  const initrd = bytes("ramdisk");
  const place = (kernel: Uint8Array) => target.place(kernel, { ...options, initrd }, "initrd");
  assertEquals(place(image), [16 * MIB - 4096, 7]);
  assertEquals(place(changed(image, [0x22c, 4, 12 * MIB - 1])), [12 * MIB - 4096, 7]);
  assertEquals(place(changed(image, [0x22c, 4, 12 * MIB])), [12 * MIB - 4096, 7]);
  assertEquals(place(changed(image, [0x22c, 4, 0xffff_ffff])), [16 * MIB - 4096, 7]);
});

Deno.test("An initial ramdisk fits beside the kernel to the last byte, and not beyond", () => {
  using target = new Target();
  const room = 15 * MIB - INIT_SIZE;
  const largest = { ...options, initrd: new Uint8Array(room) };
  target.refuse("ENOMEM", "The initrd needs", image, {
    ...options,
    initrd: new Uint8Array(room + 1),
  });
  assertEquals(target.place(image, largest, "initrd"), [MIB + INIT_SIZE, room]);
});

Deno.test("An initial ramdisk goes below the kernel's limit even if that is nowhere", () => {
  using target = new Target();
  const none = changed(image, [0x22c, 4, 0]);
  target.refuse("ENOMEM", "up to 0x1", none, { ...options, initrd: bytes("ramdisk") });
});

Deno.test("A command line is as long as the kernel says", () => {
  using target = new Target();
  const longest = "ü".repeat(127) + "x";
  target.refuse("E2BIG", "has 256 bytes, and this kernel takes 255", image, {
    ...options,
    commandLine: `${longest}x`,
  });
  target.load(image, { ...options, commandLine: longest });
  assertEquals(target.memory.readString(0x2_0000), longest);
});

Deno.test("A kernel that takes any command line gets no more than there is room for", () => {
  using target = new Target();
  const greedy = changed(image, [0x238, 4, 0xffff_ffff]);
  target.refuse("E2BIG", "takes 65535", greedy, { ...options, commandLine: "x".repeat(65_536) });
  target.load(greedy, { ...options, commandLine: "x".repeat(65_535) });
});

Deno.test("The zero page has what the image says, completed, and is empty otherwise", () => {
  using target = new Target();
  const initrd = bytes("ramdisk");
  target.load(image, { ...options, initrd, rsdp: 0xe_0000, commandLine: "quiet" });
  const page = target.memory.struct(bootParams, 0x7000);
  const { hdr, e820Table, ...params } = plain(page);
  assertEquals(
    e820Table.slice(0, 5).map(({ addrLow, sizeLow, type }) => [addrLow, sizeLow, type]),
    [...map.e820.map(({ start, size, type }) => [start, size, type]), [0, 0, 0]],
  );
  assertEquals(hdr.typeOfLoader, 0xff);
  assertEquals(hdr.loadflags, 0x81);
  assertEquals(hdr.heapEndPtr, 0xde00);
  assertEquals(hdr.vidMode, 0xffff);
  assertEquals([hdr.ramdiskImage, hdr.ramdiskSize], [16 * MIB - 4096, 7]);
  assertEquals([hdr.cmdLinePtr, hdr.cmdlineSize], [0x2_0000, 255]);
  assertEquals([hdr.version, hdr.initSize, hdr.prefAddress], [0x20c, INIT_SIZE, 0x10_0000n]);
  assertEquals([params.acpiRsdpAddr, params.e820Entries], [0xe_0000n, 4]);
  assertEquals([params.altMemK, params.extMemK], [15 * 1024, 15 * 1024]);
  assertEquals([params.extRamdiskImage, params.extCmdLinePtr, params.sentinel], [0, 0, 0]);
  assert(params.screenInfoHead.every((byte) => byte === 0));
  assert(params.screenInfoTail.every((byte) => byte === 0));
});

Deno.test("Memory beyond 64 MiB is more than the BIOS's old call can say", () => {
  using target = new Target([{ guestPhysAddr: 0, size: 80 * MIB }]);
  target.load(image, { ...options, memoryMap: ram([0, 639], [1024, 79 * 1024]) });
  const { altMemK, extMemK } = target.memory.struct(bootParams, 0x7000);
  assertEquals([altMemK, extMemK], [79 * 1024, 0xfc00]);
});

Deno.test("A memory map has 128 entries at most", () => {
  using target = new Target();
  const memoryMap = [...map.e820, ...ram(...Array(124).fill([0, 0]))];
  target.refuse("E2BIG", "129 entries", image, {
    ...options,
    memoryMap: [...memoryMap, ...ram([0, 0])],
  });
  target.load(image, { ...options, memoryMap });
  assertEquals(target.memory.struct(bootParams, 0x7000).e820Entries, 128);
});

Deno.test("An older kernel that says neither size nor place is loaded to 1 MiB", () => {
  using target = new Target();
  const old = changed(image, [0x206, 2, 0x206], [0x234, 1, 0], [0x201, 1, 0x3a]);
  const { entry } = target.load(old, options);
  assertEquals([entry.mode, entry.rip], ["protected", MIB]);
  assertEquals(target.memory.struct(bootParams, 0x7000).hdr.initSize, 0);
});
