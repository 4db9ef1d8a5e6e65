/**
 * Images that others have made.
 */

import { assert, assertEquals } from "@std/assert";
import { memoryMap } from "../../src/firmware/mod.ts";
import { detectProtocol } from "../../src/loader/mod.ts";
import {
  debianGuests,
  needsGuests,
  needsStockKernel,
  vmlinux,
  vmlinuz,
} from "../support/debian.ts";
import { pc } from "../support/pc.ts";
import { assertNoneCutOff, Target } from "./refusals.ts";
import { changed, fields, MIB } from "./support.ts";

const XLOADFLAGS = 0x236;

const machine = memoryMap(192 * MIB);

Deno.test(needsGuests("Debian's kernel is placed where it says, its ramdisk at the top"), () => {
  using target = new Target(machine.slots);
  const image = vmlinuz();
  const header = fields(image);
  assertEquals(detectProtocol(image), "linux");
  const initrd = new Uint8Array(MIB);
  const { entry, regions } = target.load(image, { memoryMap: machine.e820, initrd });
  const kernel = regions.find(({ what }) => what === "kernel");
  assertEquals(kernel, {
    what: "kernel",
    guestPhysAddr: Number(header.getBigUint64(0x258, true)),
    size: header.getUint32(0x260, true),
  });
  assertEquals([entry.mode, entry.rip], ["long", kernel!.guestPhysAddr + 0x200]);
  assertEquals(regions.at(-1), { what: "initrd", guestPhysAddr: 191 * MIB, size: MIB });
  assertNoneCutOff(image, { memoryMap: machine.e820, protocol: "linux" }, 0x800);
});

Deno.test(needsGuests("Memtest86+ can't be moved, and is entered in 64-bit mode at 1 MiB"), () => {
  using target = new Target();
  const { protocol, entry } = target.load(Deno.readFileSync(`${debianGuests}/memtest86+x64.bin`));
  assertEquals([protocol, entry.mode, entry.rip], ["linux", "long", MIB + 0x200]);
});

Deno.test(
  needsGuests("Debian's kernel out of its bzImage has a PVH entry, and ELF's at its start"),
  async () => {
    using target = new Target(machine.slots);
    const image = await vmlinux();
    const options = { memoryMap: machine.e820 };
    const pvh = target.load(image, options);
    assertEquals([pvh.protocol, pvh.entry.mode], ["pvh", "protected"]);
    const elf = target.load(image, { ...options, protocol: "elf" });
    assertEquals([elf.entry.mode, elf.entry.rip], ["long", 16 * MIB]);
    assert(pvh.entry.rip > elf.entry.rip, "both are entered at the same address");
  },
);

Deno.test(needsStockKernel("Linux starts by its 32-bit entry, too"), async () => {
  const image = vmlinuz();
  const kernel = changed(image, [XLOADFLAGS, 2, fields(image).getUint16(XLOADFLAGS, true) & ~1]);
  await using guest = await pc({
    kernel,
    commandLine: "earlyprintk=serial nokaslr",
    memory: "256M",
    signal: AbortSignal.timeout(60_000),
  });
  await guest.until("Linux version");
  await guest.until("Command line: earlyprintk=serial nokaslr");
  await guest.machine.stop();
});
