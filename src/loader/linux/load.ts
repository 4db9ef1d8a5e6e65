/**
 * Linux's boot protocol (x86/boot.rst, "32-bit Boot Protocol", "64-bit Boot Protocol").
 *
 * @module
 */

import { Errno } from "../../../ffi/mod.ts";
import { FOUR_GIB, roundUp } from "../../boot/parts/mod.ts";
import { HIGH_MEMORY } from "../../firmware/mod.ts";
import { longEntry, protectedEntry } from "../entry.ts";
import type { EntryPoint, LoadOptions } from "../options.ts";
import type { Plan } from "../plan.ts";
import type { ImageReader } from "../reader.ts";
import { hex } from "../text.ts";
import { type BzImage, ENTRY_64, parseBzImage } from "./bzimage.ts";
import { putCommandLine, putInitrd } from "./parameters.ts";
import { putZeroPage } from "./zero_page.ts";

/** Plans a bzImage: the kernel with room to unpack, zero page, command line, initial ramdisk. */
export function planLinux(plan: Plan, reader: ImageReader, options: LoadOptions): EntryPoint {
  const kernel = parseBzImage(reader);
  const loadAddress = placeKernel(plan, kernel, options.loadAddress);
  const commandLine = putCommandLine(plan, options.commandLine, kernel.commandLineMax);
  const initrd = putInitrd(plan, options.initrd, kernel.initrdEnd);
  const { header } = kernel;
  const zeroPage = putZeroPage(plan, options, { commandLine, initrd, header, loadAddress });
  const registers = { rsi: BigInt(zeroPage) };
  return kernel.entry64
    ? longEntry(plan, loadAddress + ENTRY_64, registers)
    : protectedEntry(plan, loadAddress, registers);
}

/** Claims the place for the kernel and for its unpacking; where it is loaded. */
function placeKernel(plan: Plan, kernel: BzImage, wanted: number | undefined): number {
  const { code, relocatable, alignment, preferred, initSize } = kernel;
  if (wanted !== undefined) checkWanted(plan, kernel, wanted);
  // It runs no lower than where it prefers to be, wherever it was loaded.
  const lowest = roundUp(Math.max(preferred, HIGH_MEMORY), alignment);
  const size = Math.max(code.length, initSize);
  if (relocatable && wanted === undefined && !plan.isFree(lowest, size)) {
    const want = { what: "kernel", size, align: alignment };
    const range = plan.claimLowest(want, { from: lowest });
    plan.fill(range, code);
    return range.guestPhysAddr;
  }
  const address = wanted ?? (relocatable ? lowest : HIGH_MEMORY);
  const runs = relocatable ? Math.max(address, lowest) : preferred || HIGH_MEMORY;
  placeApart(plan, kernel, address, runs);
  return address;
}

function checkWanted(plan: Plan, { relocatable, alignment }: BzImage, wanted: number): void {
  if (!relocatable && wanted !== HIGH_MEMORY) {
    const hint = `This kernel is not relocatable: it is loaded to ${hex(HIGH_MEMORY)}`;
    throw plan.error(Errno.EINVAL, hint);
  }
  if (wanted % alignment !== 0) {
    const hint = `loadAddress, ${hex(wanted)}, is no multiple of this kernel's alignment, ` +
      hex(alignment);
    throw plan.error(Errno.EINVAL, hint);
  }
  if (wanted >= FOUR_GIB) {
    const hint = `loadAddress, ${hex(wanted)}, is above 4 GiB: kernels are entered below`;
    throw plan.error(Errno.EINVAL, hint);
  }
}

/** For a kernel that may move itself from where it is loaded to where it runs. */
function placeApart(plan: Plan, { code, initSize }: BzImage, address: number, runs: number): void {
  const loadEnd = address + code.length;
  const runEnd = runs + initSize;
  if (runs <= loadEnd && runEnd >= address) {
    const start = Math.min(address, runs);
    plan.claim("kernel", start, Math.max(loadEnd, runEnd) - start);
    plan.fill({ guestPhysAddr: address, size: code.length }, code);
  } else {
    plan.put("kernel", address, code);
    plan.claim("kernel's place to run", runs, initSize);
  }
}
