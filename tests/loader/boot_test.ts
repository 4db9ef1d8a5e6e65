import { assert, assertEquals } from "@std/assert";
import { RFLAGS } from "../../src/arch/x86/mod.ts";
import { memoryMap } from "../../src/firmware/mod.ts";
import { generate, sources, target } from "./guests/generate.ts";
import { hasProgram, needing } from "../support/host.ts";
import { concat, elf } from "./images.ts";
import { Guest } from "./guest.ts";
import { bytes, changed, hex8, imageOf, map, MIB } from "./support.ts";

const commandLine = "console=none; ünïcode";
const initrd = bytes("the initial ramdisk\0");
const modules = [
  { image: bytes("first\0"), commandLine: "first's own" },
  { image: bytes("second\0") },
];
const rsdp = 0xe_0000;

/** The lines for the memory map that a Multiboot or PVH guest prints. */
const ranges = map.e820.flatMap(({ start, size, type }) => [
  `range ${hex8(start)}`,
  `  bytes ${hex8(size)}`,
  `  type ${hex8(type)}`,
]);

Deno.test(
  needing("nasm", hasProgram("nasm"), "The images are what NASM makes of their sources"),
  () => {
    assertEquals(Deno.readTextFileSync(target), generate());
    assertEquals(sources.length, 5);
  },
);

Deno.test("A boot sector finds itself in real mode at 0x7c00, the first disk in DL", () => {
  using guest = new Guest();
  const { protocol, regions } = guest.load(imageOf("boot_sector"));
  assertEquals(protocol, "flat16");
  assertEquals(regions.map(({ what }) => what), ["stack", "image"]);
  const [dl, cs, ss, sp, flags = ""] = guest.lines();
  assertEquals([dl, cs, ss, sp], ["dl 00000080", "cs 00000000", "ss 00000000", "sp 00007c00"]);
  assertEquals(BigInt(`0x${flags.slice(6)}`) & RFLAGS.IF, 0n);
});

Deno.test("An ELF64 program finds Linux's zero page, its segments and its zeroes in long mode", () => {
  using guest = new Guest();
  const { protocol } = guest.load(imageOf("elf64"), { commandLine, initrd, rsdp });
  assertEquals(protocol, "elf");
  const lines = guest.lines();
  const flags = BigInt(`0x${lines[2]?.slice(6)}`);
  assertEquals(flags & RFLAGS.IF, 0n);
  assertEquals(lines.toSpliced(2, 1), [
    "cs 00000010",
    "ds 00000018",
    `command line ${commandLine}`,
    `e820 entries ${hex8(map.e820.length)}`,
    `alt_mem_k ${hex8(15 * 1024)}`,
    `rsdp ${hex8(rsdp)}`,
    "initrd the initial ramdisk",
    `initrd size ${hex8(initrd.length)}`,
    "data from the second segment",
    "zeroes 00000001",
  ]);
});

Deno.test("After its memory is overwritten, a kernel that is loaded again runs again", () => {
  using guest = new Guest();
  const image = imageOf("elf64");
  const first = guest.load(image, { commandLine });
  const lines = guest.lines();
  for (const slot of guest.vm.memory.slots) slot.all.fill(0xcc);
  assertEquals(guest.load(image, { commandLine }), first);
  assertEquals(guest.lines(), lines);
});

Deno.test("A bzImage is entered 0x200 behind its start in long mode", () => {
  using guest = new Guest();
  const { protocol, regions } = guest.load(imageOf("linux"), { commandLine, initrd });
  assertEquals(protocol, "linux");
  const ramdisk = regions.find(({ what }) => what === "initrd")!;
  assertEquals(ramdisk.guestPhysAddr, 16 * MIB - 4096);
  assertEquals(guest.lines(), [
    "entry64 at 00100000",
    "code32_start 00100000",
    `command line ${commandLine}`,
    "type_of_loader 000000ff",
    "loadflags 00000081",
    `initrd ${hex8(ramdisk.guestPhysAddr)}`,
    "initrd text the initial ramdisk",
  ]);
});

Deno.test("A relocatable bzImage runs where it is loaded to, and is told", () => {
  using guest = new Guest();
  guest.load(imageOf("linux"), { loadAddress: 0x93_0000, initrd });
  const [entry, start] = guest.lines();
  assertEquals([entry, start], ["entry64 at 00930000", "code32_start 00930000"]);
});

Deno.test("A bzImage without a 64-bit entry is entered in 32-bit mode, flat, without paging", () => {
  using guest = new Guest();
  const { entry, regions } = guest.load(changed(imageOf("linux"), [0x236, 2, 0]), { commandLine });
  assertEquals([entry.mode, entry.pageTables], ["protected", undefined]);
  assert(!regions.some(({ what }) => what === "page tables"));
  assertEquals(guest.lines(), ["entry32 cs 00000010", `command line ${commandLine}`]);
});

Deno.test("A PVH guest finds start info, memory map and modules, and is entered at its note's", () => {
  using guest = new Guest();
  const loaded = guest.load(imageOf("pvh"), { commandLine, initrd, modules, rsdp });
  assertEquals(loaded.protocol, "pvh");
  const at = (what: string) => loaded.regions.find((region) => region.what === what)!.guestPhysAddr;
  assertEquals(guest.lines(), [
    "cr0 00000001",
    "cr4 00000000",
    "magic 336ec578",
    "version 00000001",
    `command line ${commandLine}`,
    `rsdp ${hex8(rsdp)}`,
    ...ranges,
    `module ${hex8(at("initrd"))}`,
    `  bytes ${hex8(initrd.length)}`,
    "  text the initial ramdisk",
    `module ${hex8(at("module 0"))}`,
    `  bytes ${hex8(6)}`,
    "  text first",
    "  string first's own",
    `module ${hex8(at("module 1"))}`,
    `  bytes ${hex8(7)}`,
    "  text second",
  ]);
});

/** What the Multiboot guest prints, for modules from an address on. */
function multibootLines(firstModule: number): string[] {
  return [
    "eax 2badb002",
    "cr0 00000001",
    "flags 0000024d",
    "mem_lower 0000027f",
    `mem_upper ${hex8(15 * 1024)}`,
    `command line ${commandLine}`,
    "loader a test",
    ...ranges,
    `module ${hex8(firstModule)}`,
    `  bytes ${hex8(initrd.length)}`,
    "  text the initial ramdisk",
    "  string ",
    `module ${hex8(firstModule + 0x1000)}`,
    `  bytes ${hex8(6)}`,
    "  text first",
    "  string first's own",
    `module ${hex8(firstModule + 0x2000)}`,
    `  bytes ${hex8(7)}`,
    "  text second",
    "  string ",
    "zeroes 00000001",
  ];
}

const multibootOptions = { commandLine, initrd, modules, loaderName: "a test" };

Deno.test("A Multiboot guest finds all of the information, and pages of modules behind itself", () => {
  using guest = new Guest();
  const { protocol } = guest.load(imageOf("multiboot"), multibootOptions);
  assertEquals(protocol, "multiboot");
  assertEquals(guest.lines(), multibootLines(0x10_3000));
});

Deno.test("A Multiboot image whose header leaves lengths out is loaded to its end", () => {
  using guest = new Guest();
  const image = imageOf("multiboot");
  // load_end_addr and bss_end_addr; the zeroes that the guest looks for are in the file then.
  const short = changed(image, [44, 4, 0], [48, 4, 0]);
  guest.load(concat([short, new Uint8Array(0x2000)]), multibootOptions);
  assertEquals(guest.lines(), multibootLines(0x10_3000));
});

for (const bits of [32, 64] as const) {
  Deno.test(`A Multiboot guest may be an ELF${bits} file, and is entered in 32-bit mode`, () => {
    using guest = new Guest();
    const kernel = imageOf("multiboot");
    const [header, flags] = [24, 3];
    const plain = changed(
      kernel,
      [header + 4, 4, flags],
      [header + 8, 4, -(0x1bad_b002 + flags) >>> 0],
    );
    const entry = new DataView(kernel.buffer).getUint32(header + 28, true);
    const physAddr = MIB;
    const memorySize = kernel.length + 0x2000;
    guest.load(elf({ bits, entry, parts: [{ bytes: plain, physAddr, memorySize }] }), {
      ...multibootOptions,
      protocol: "multiboot",
    });
    assertEquals(guest.lines(), multibootLines(0x10_3000));
  });
}

/** mov eax, esi; mov ebx, [esi + 0x228]; push ebx; pop ecx; hlt: the same in 32-bit and 64-bit mode */
const program = Uint8Array.from([0x89, 0xf0, 0x8b, 0x9e, 0x28, 0x02, 0, 0, 0x53, 0x59, 0xf4]);

for (const [bits, mode] of [[32, "protected"], [64, "long"]] as const) {
  Deno.test(`An ELF${bits} program is entered in ${mode} mode with a stack and the zero page`, () => {
    using guest = new Guest();
    const image = elf({ bits, entry: 2 * MIB, parts: [{ bytes: program, physAddr: 2 * MIB }] });
    assertEquals(guest.load(image).entry.mode, mode);
    assertEquals(guest.lines(), [""]);
    const { rax, rbx, rcx } = guest.vcpu.getRegs();
    assertEquals([rax, rbx, rcx], [0x7000n, 0x2_0000n, 0x2_0000n]);
  });

  Deno.test(`Bytes are entered in ${mode} mode as flat${bits}, where the options say`, () => {
    using guest = new Guest();
    const options = { protocol: `flat${bits}`, loadAddress: 0x5_0000, entry: 0x5_0008 } as const;
    const { entry } = guest.load(program, options);
    assertEquals(entry.mode, mode);
    assertEquals(guest.lines(), [""]);
    const { rax, rcx, rip } = guest.vcpu.getRegs();
    assertEquals([rax, rcx, rip], [0n, 0n, 0x5_000bn]);
  });
}

Deno.test("A program's entry may be virtual: the segment that has it translates it", () => {
  using guest = new Guest();
  const virtAddr = 0xffff_ffff_8000_0000n;
  const parts = [{ bytes: program, physAddr: 2 * MIB, virtAddr }];
  const { entry } = guest.load(elf({ bits: 64, entry: virtAddr, parts }));
  assertEquals(entry.rip, 2 * MIB);
  assertEquals(guest.lines(), [""]);
});

Deno.test("A program that may be moved goes to 1 MiB, or where the options say", () => {
  const parts = [{ bytes: program, physAddr: 0, align: 0x1000 }];
  const image = elf({ bits: 64, entry: 0, parts, type: 3 });
  for (const loadAddress of [undefined, 0x34_5000]) {
    using guest = new Guest();
    assertEquals(guest.load(image, { loadAddress }).entry.rip, loadAddress ?? MIB);
    assertEquals(guest.lines(), [""]);
  }
});

Deno.test("A program above 4 GiB is mapped and runs", () => {
  // RAM from 4 GiB on, without the 3 GiB below it.
  const { e820 } = memoryMap(3 * 1024 * MIB + 4 * MIB);
  const far = { ...map, slots: [...map.slots, { guestPhysAddr: 2 ** 32, size: 4 * MIB }] };
  using guest = new Guest({ ...far, e820: [...map.e820, e820.at(-1)!] });
  const physAddr = 2 ** 32 + 2 * MIB;
  const image = elf({ bits: 64, entry: physAddr, parts: [{ bytes: program, physAddr }] });
  const { entry } = guest.load(image);
  assertEquals(entry.pageTables?.size, 7 * 4096);
  assertEquals(guest.lines(), [""]);
  assertEquals(guest.vcpu.getRegs().rip, BigInt(physAddr + program.length));
});
