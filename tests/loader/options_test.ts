import { assert, assertEquals } from "@std/assert";
import { memoryMap } from "../../src/firmware/mod.ts";
import { GuestMemory } from "../../src/memory/mod.ts";
import { enterKernel, loadKernel, type LoadOptions } from "../../src/loader/mod.ts";
import { assertCode } from "../support/codes.ts";
import { NotedVcpu } from "../support/loose.ts";
import { emptyVm } from "../support/memory.ts";
import { Target } from "./refusals.ts";
import { bytes, imageOf, map } from "./support.ts";

const image = imageOf("elf64");

const impossible: Readonly<Record<string, readonly unknown[]>> = {
  protocol: ["vmlinux", 64, null],
  commandLine: ["a\0b", 1, null, bytes("quiet")],
  initrd: ["initrd.img", new Uint8Array(0), null, new ArrayBuffer(8)],
  modules: [{}, "module", [undefined], [{}], [{ image: new Uint8Array(0) }], [{
    image: bytes("a"),
    commandLine: "\0",
  }], [{ image: bytes("a"), commandLine: 1 }]],
  rsdp: [-1, 0.5, NaN, 2 ** 53, "0xe0000", 0xe0000n],
  loadAddress: [-1, 0.5, Infinity, 2 ** 53, "1M"],
  entry: [-1, 0.5, 2 ** 53, null],
  loaderName: [1, "\0"],
  memoryMap: [
    undefined,
    null,
    {},
    [null],
    [{}],
    [{ start: -1, size: 1, type: 1 }],
    [{ start: 0, size: 0.5, type: 1 }],
    [{ start: 0, size: 1, type: 2 ** 32 }],
    [{ start: 2 ** 53 - 1, size: 1, type: 1 }],
    [{ start: 0n, size: 1n, type: 1 }],
  ],
};

for (const [name, values] of Object.entries(impossible)) {
  Deno.test(`A ${name} that can't be is EINVAL, before anything is written`, () => {
    using target = new Target();
    for (const value of values) {
      const options = { protocol: "multiboot", [name]: value } as Partial<LoadOptions>;
      assertCode("EINVAL", () => target.load(image, options), Deno.inspect(value));
    }
    target.assertUntouched();
  });
}

Deno.test("Options, image and memory of a wrong type are EINVAL", () => {
  using target = new Target();
  const { memory } = target;
  const options = { memoryMap: map.e820 };
  assertCode("EINVAL", () => loadKernel(memory, image, undefined as never));
  assertCode("EINVAL", () => loadKernel(memory, image, null as never));
  assertCode("EINVAL", () => loadKernel(memory, "vmlinuz" as never, options));
  assertCode("EINVAL", () => loadKernel(memory, new ArrayBuffer(512) as never, options));
  assertCode("EINVAL", () => loadKernel(memory.slots[0] as never, image, options));
  assertCode("EINVAL", () => loadKernel(undefined as never, image, options));
  target.assertUntouched();
});

Deno.test("An option of a name that is none is refused, a module's too", () => {
  using target = new Target();
  const options = { protocol: "multiboot", cmdline: "quiet" } as Partial<LoadOptions>;
  target.refuse("EINVAL", "What goes with it has no cmdline, but memoryMap", image, options);
  const modules = [{ image }, { image, cmdline: "quiet" }];
  target.refuse("EINVAL", "Module 1 has no cmdline, but image, commandLine", image, {
    protocol: "multiboot",
    modules,
  });
  target.load(image, { cmdline: undefined } as Partial<LoadOptions>);
});

Deno.test("Memory that there is not yet, or no more, is EFAULT or EBADF", () => {
  const options = { memoryMap: map.e820 };
  assertCode("EFAULT", () => loadKernel(new GuestMemory(), image, options));
  const vm = emptyVm();
  vm.addMemory({ size: 1 << 20 });
  const { memory } = vm;
  vm.close();
  assertCode("EBADF", () => loadKernel(memory, image, options));
});

const useless: readonly (readonly [string, Partial<LoadOptions>])[] = [
  ["linux", { entry: 0x10_0000 }],
  ["linux", { modules: [{ image }] }],
  ["elf", { modules: [{ image }] }],
  ["pvh", { entry: 0x10_0000 }],
  ["pvh", { loadAddress: 0x10_0000 }],
  ["multiboot", { entry: 0x10_0000 }],
  ["multiboot", { loadAddress: 0x10_0000 }],
  ["flat16", { commandLine: "quiet" }],
  ["flat32", { initrd: image }],
  ["flat64", { modules: [{ image }] }],
];

for (const [protocol, options] of useless) {
  const [name] = Object.keys(options);
  Deno.test(`An image that is started as ${protocol} takes no ${name}`, () => {
    using target = new Target();
    const all = { protocol, ...options } as Partial<LoadOptions>;
    target.refuse("EINVAL", `has no ${name}: leave it out`, image, all);
  });
}

for (
  const [protocol, name] of [
    ["linux", "linux"],
    ["elf", "elf64"],
    ["pvh", "pvh"],
    ["multiboot", "multiboot"],
    ["flat16", "boot_sector"],
    ["flat32", "boot_sector"],
    ["flat64", "boot_sector"],
  ] as const
) {
  Deno.test(`What says nothing may be given with ${protocol}, and changes no place`, () => {
    using target = new Target();
    const kernel = imageOf(name);
    // Of these, Multiboot alone tells its kernel the loader's name.
    const loaderName = "a test";
    const plain = target.load(kernel, {
      protocol,
      ...(protocol === "multiboot" ? { loaderName } : {}),
    });
    const loaded = target.load(kernel, {
      protocol,
      commandLine: "",
      modules: [],
      rsdp: 0xe_0000,
      loaderName,
      initrd: undefined,
    });
    assertEquals(loaded, plain);
  });
}

Deno.test("An empty image is refused, whatever it is to be", () => {
  using target = new Target();
  for (
    const protocol of ["linux", "elf", "pvh", "multiboot", "flat16", "flat32", "flat64"] as const
  ) {
    target.refuse("ENOEXEC", "empty", new Uint8Array(0), { protocol });
  }
});

Deno.test("An image may be a part of a larger buffer, or shared memory", () => {
  using target = new Target();
  const whole = target.load(image);
  const shared = new Uint8Array(new SharedArrayBuffer(image.length + 3)).subarray(3);
  shared.set(image);
  assertEquals(target.load(shared), whole);
  assertEquals(target.memory.readBytes(0x20_0000, 64), image.slice(0, 64));
});

Deno.test("An entry point is plain data: a clone of it sets a vCPU to the same state", () => {
  using target = new Target();
  const { entry, regions } = target.load(image, { commandLine: "quiet" });
  const clone = structuredClone(entry);
  assertEquals(clone, entry);
  assert(clone !== entry);
  assertEquals(structuredClone(regions), regions);
  const [first, second] = [new NotedVcpu(), new NotedVcpu()];
  enterKernel(first, entry);
  enterKernel(second, clone);
  assertEquals(first, second);
  const { rip, rsp, rsi, rflags } = first.regs;
  assertEquals([rip, rsp, rsi, rflags], [BigInt(entry.rip), 0x7000n, 0x7000n, 2n]);
});

Deno.test("A machine with memory above 4 GiB is described in full", () => {
  const { e820, slots } = memoryMap(3 * 2 ** 30 + 4096);
  using target = new Target(slots.map((slot) => ({ ...slot, size: Math.min(slot.size, 2 ** 24) })));
  target.load(image, { memoryMap: e820 });
  const last = 0x7000 + 0x2d0 + 20 * (e820.length - 1);
  assertEquals(target.memory.readU64(last), 2n ** 32n);
  assertEquals(target.memory.readU64(last + 8), 4096n);
});
