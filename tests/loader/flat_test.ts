import { assertEquals } from "@std/assert";
import { detectProtocol, type Protocol } from "../../src/loader/mod.ts";
import { assertCode } from "../support/codes.ts";
import { elf, note } from "./images.ts";
import { Target } from "./refusals.ts";
import { bytes, changed, imageOf, MIB } from "./support.ts";

const code = Uint8Array.of(0xf4, 0xf4, 0xf4, 0xf4);

Deno.test("Bytes go where the options say, or where their mode begins", () => {
  using target = new Target();
  const place = (protocol: Protocol, loadAddress?: number) =>
    target.place(code, { protocol, loadAddress }, "image");
  assertEquals(place("flat16"), [0x7c00, 4]);
  assertEquals(place("flat32"), [MIB, 4]);
  assertEquals(place("flat64"), [MIB, 4]);
  for (const protocol of ["flat16", "flat32", "flat64"] as const) {
    assertEquals(place(protocol, 0x5_0001), [0x5_0001, 4]);
  }
});

Deno.test("A real-mode entry above 64 KiB has a segment that reaches it", () => {
  using target = new Target();
  const load = (loadAddress: number, entry?: number) =>
    target.load(code, { protocol: "flat16", loadAddress, entry }).entry;
  const far = load(0x1_2345);
  assertEquals([far.sregs.cs.selector, far.sregs.cs.base, far.rip], [0x1234, 0x1_2340n, 5]);
  const near = load(0xfffe, 0xffff);
  assertEquals([near.sregs.cs.selector, near.rip], [0, 0xffff]);
});

Deno.test("Real-mode code lies below 640 KiB and leaves room for a stack below 0x7c00", () => {
  using target = new Target();
  const options = { protocol: "flat16" } as const;
  target.refuse("EINVAL", "no further than 1 MiB", code, { ...options, loadAddress: MIB });
  target.refuse("ENOMEM", "usable RAM", code, { ...options, loadAddress: 0xa_0000 });
  target.refuse("ENOMEM", "holds the image", code, { ...options, loadAddress: 0x7bfc });
  target.load(code, { ...options, loadAddress: 0x77fc });
  target.load(new Uint8Array(0x9_fc00 - 0x7c00), options);
  target.refuse("ENOMEM", "usable RAM", new Uint8Array(0x9_fc01 - 0x7c00), options);
});

Deno.test("32-bit code lies below 4 GiB", () => {
  using target = new Target([
    { guestPhysAddr: 0, size: MIB },
    { guestPhysAddr: 2 ** 32 - MIB, size: 2 * MIB },
  ]);
  const memoryMap = [
    { start: 0, size: MIB, type: 1 as const },
    { start: 2 ** 32 - MIB, size: 2 * MIB, type: 1 as const },
  ];
  const load = (loadAddress: number) => ({ protocol: "flat32", memoryMap, loadAddress }) as const;
  target.refuse("EINVAL", "no further than 4 GiB", code, load(2 ** 32 - 3));
  target.load(code, load(2 ** 32 - 4));
});

Deno.test("An entry outside the image is refused", () => {
  using target = new Target();
  for (const protocol of ["flat16", "flat32", "flat64"] as const) {
    for (const entry of [0x4_ffff, 0x5_0004]) {
      target.refuse("EINVAL", "is not in the image, 0x50000-0x50003", code, {
        protocol,
        loadAddress: 0x5_0000,
        entry,
      });
    }
  }
});

Deno.test("The page at 0x8000, and all from 0x20000 to the BIOS's data, are a flat image's own", () => {
  using target = new Target();
  const free = [{ start: 0x8000, end: 0x9000 }, { start: 0x2_0000, end: 0x9_f000 }];
  for (const protocol of ["flat16", "flat32", "flat64"] as const) {
    const { regions } = target.load(code, { protocol });
    for (const { what, guestPhysAddr, size } of regions) {
      const isOver = free.some(({ start, end }) =>
        guestPhysAddr < end && guestPhysAddr + size > start
      );
      assertEquals(isOver, false, `${protocol}: ${what}`);
    }
  }
});

Deno.test("A flat image begins with flat segments, a stack and, in long mode, the map of 4 GiB", () => {
  using target = new Target();
  const load = (protocol: Protocol) => target.load(code, { protocol }).entry;
  for (const protocol of ["flat32", "flat64"] as const) {
    const { rsp, registers, sregs } = load(protocol);
    assertEquals([rsp, registers, sregs.cs.selector, sregs.idt.limit], [0x7000, {}, 0x10, 0]);
    const { ds, es, fs, gs, ss, gdt } = sregs;
    assertEquals([ds, es, fs, gs, ss].map(({ selector }) => selector), new Array(5).fill(0x18));
    assertEquals(gdt.base, 0x500n);
  }
  assertEquals(load("flat32").pageTables, undefined);
  assertEquals(load("flat64").pageTables, { guestPhysAddr: 0x9000, size: 0x6000 });
  const { rip, rsp, registers, sregs } = load("flat16");
  assertEquals([rip, rsp, registers, sregs.cs.selector], [0x7c00, 0x7c00, { rdx: 0x80n }, 0]);
});

Deno.test("Images are told apart by what they begin with", () => {
  const expected = {
    boot_sector: "flat16",
    elf64: "elf",
    linux: "linux",
    multiboot: "multiboot",
    pvh: "pvh",
  } as const;
  for (const [name, protocol] of Object.entries(expected)) {
    assertEquals(detectProtocol(imageOf(name as keyof typeof expected)), protocol);
  }
});

Deno.test("Linux's header comes before Multiboot's, and that before PVH and ELF", () => {
  const header = new Uint8Array(
    Uint32Array.of(0x1bad_b002, 0, -0x1bad_b002 >>> 0).buffer,
  );
  const kernel = imageOf("linux");
  kernel.set(header, 0x40);
  assertEquals(detectProtocol(kernel), "linux");
  const pvh = (bytes: Uint8Array) =>
    elf({
      bits: 64,
      entry: MIB,
      parts: [
        { bytes, physAddr: MIB },
        { type: 4, bytes: note("Xen", 18, Uint8Array.of(0, 0, 16, 0)), physAddr: 0 },
      ],
    });
  assertEquals(detectProtocol(pvh(header)), "multiboot");
  assertEquals(detectProtocol(pvh(code)), "pvh");
  assertEquals(detectProtocol(changed(pvh(code), [0x12, 2, 0])), "elf");
});

Deno.test("What is nothing known is refused, with the protocols that take any bytes", () => {
  for (const image of [code, new Uint8Array(512), bytes("#!/bin/sh")]) {
    const { hint = "" } = assertCode("ENOEXEC", () => detectProtocol(image));
    assertEquals(hint.includes('"flat64"'), true);
  }
  const { hint } = assertCode("ENOEXEC", () => detectProtocol(new Uint8Array(0)));
  assertEquals(hint, "The image is empty");
  assertCode("EINVAL", () => detectProtocol("vmlinuz" as never));
});

Deno.test("below 1 MiB memory can't be added: who goes there is told where to go", () => {
  using target = new Target();
  const options = { protocol: "flat32", loadAddress: 0xf_f000 } as const;
  target.refuse("ENOMEM", "best from 0x100000 on (ld puts", code, options);
  target.refuse("ENOMEM", "add memory", code, { ...options, loadAddress: 0x4000_0000 });
});
