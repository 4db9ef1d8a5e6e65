/**
 * ELF programs, entered at their own entry: `vmlinux` by Linux's boot protocol (x86/boot.rst,
 * "64-bit Boot Protocol"), and whatever else runs without an operating system.
 *
 * @module
 */

import { Errno } from "../../../ffi/mod.ts";
import { FOUR_GIB } from "../../boot/parts/mod.ts";
import { claimStack, longEntry, protectedEntry, withSse } from "../entry.ts";
import { putCommandLine, putInitrd, putZeroPage } from "../linux/mod.ts";
import type { EntryPoint, LoadOptions } from "../options.ts";
import type { Plan } from "../plan.ts";
import type { ImageReader } from "../reader.ts";
import { hex } from "../text.ts";
import { parseElf } from "./parse.ts";
import { entryOf, placeElf } from "./place.ts";

/** Linux's COMMAND_LINE_SIZE on x86 without the zero; a `vmlinux` does not say it. */
const COMMAND_LINE_MAX = 2047;

/**
 * Plans an ELF program: segments, zero page, command line, initial ramdisk and a stack.
 *
 * The entry state is that of Linux's boot protocols with SSE enabled and a stack of 4 KiB, so that a
 * program that knows nothing of Linux may ignore RSI and begin.
 */
export function planElf(plan: Plan, reader: ImageReader, options: LoadOptions): EntryPoint {
  const elf = parseElf(reader);
  const placed = placeElf(plan, reader, elf, options.loadAddress);
  const entry = options.entry ?? entryOf(reader, elf, placed, elf.entry);
  if (!plan.regions.some((region) => holds(region, entry))) {
    throw plan.error(Errno.EINVAL, `entry, ${hex(entry)}, is in no segment`);
  }
  if (elf.bits === 32 && entry >= FOUR_GIB) {
    throw plan.error(Errno.ENOEXEC, `32-bit code is entered below 4 GiB, not at ${hex(entry)}`);
  }
  claimStack(plan);
  const commandLine = putCommandLine(plan, options.commandLine, COMMAND_LINE_MAX);
  const initrd = putInitrd(plan, options.initrd);
  const zeroPage = putZeroPage(plan, options, { commandLine, initrd });
  const registers = { rsi: BigInt(zeroPage) };
  return elf.bits === 64
    ? longEntry(plan, entry, registers)
    : protectedEntry(plan, entry, registers, withSse);
}

function holds(range: { guestPhysAddr: number; size: number }, address: number): boolean {
  return address >= range.guestPhysAddr && address < range.guestPhysAddr + range.size;
}
