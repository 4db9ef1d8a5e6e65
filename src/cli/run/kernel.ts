/**
 * A kernel that is assembled first.
 *
 * @module
 */

import { assemble, type Bits } from "../../assemble/mod.ts";
import { HIGH_MEMORY } from "../../firmware/mod.ts";
import { detectProtocol, type Protocol } from "../../loader/mod.ts";
import type { KernelOptions } from "../../machine/mod.ts";
import { UsageError } from "../command.ts";
import { readWhole } from "./files.ts";
import type { RunOptions } from "./options.ts";

/** Where a BIOS loads a boot sector, and the loader code for real mode. */
const BOOT_SECTOR = 0x7c00;

const bitsOf: Readonly<Record<string, Bits>> = { flat16: 16, flat32: 32, flat64: 64 };

type Kernel = Pick<KernelOptions, "kernel" | "protocol" | "loadAddress" | "entry">;

/** The kernel as a machine takes it: NASM source as bytes, with its place and its mode. */
export async function kernelOf(
  options: RunOptions,
  signal: AbortSignal | undefined,
): Promise<Kernel> {
  const { kernel, protocol, loadAddress, entry } = options;
  if (!kernel.endsWith(".asm")) return { kernel, protocol, loadAddress, entry };
  if (protocol !== undefined && bitsOf[protocol] === undefined) {
    throw new UsageError(`Source is started as flat16, flat32 or flat64, not as ${protocol}`);
  }
  const source = new TextDecoder().decode(await readWhole(kernel, signal));
  const own = originOf(source);
  const include = [kernel.slice(0, kernel.lastIndexOf("/") + 1) || "./"];
  const as = (mode: Protocol) => {
    const place = loadAddress ?? own ?? (mode === "flat16" ? BOOT_SECTOR : HIGH_MEMORY);
    // NASM reads no file here: a bare snippet needs the bits and the origin before its first line.
    const origin = own === undefined ? { origin: place } : {};
    const image = assemble(source, { bits: bitsOf[mode]!, include, ...origin });
    return { kernel: image, protocol: mode, loadAddress: place, entry };
  };
  if (protocol !== undefined) return as(protocol);
  if (beginsIn16Bits(source)) {
    const sector = as("flat16");
    if (detectProtocol(sector.kernel) === "flat16") return sector;
  }
  return as("flat64");
}

/** Whether a source says so before its first instruction. */
function beginsIn16Bits(source: string): boolean {
  const before = String
    .raw`[ \t]*(?:;.*|%.*|\[?[ \t]*(?:org|cpu|default|section)\b.*|\w+[ \t]+equ\b.*)?\r?\n`;
  return new RegExp(`^(?:${before})*[ \\t]*\\[?[ \\t]*(?:bits[ \\t]+|use)16\\b`, "i").test(source);
}

/** The origin that a source states itself. */
function originOf(source: string): number | undefined {
  const text = /^[ \t]*\[?[ \t]*org[ \t]+([^\s;\]]+)/im.exec(source)?.[1];
  if (text === undefined) return undefined;
  const hexadecimal = /^0*([\da-f]+)h$/i.exec(text)?.[1];
  const origin = Number(hexadecimal === undefined ? text : `0x${hexadecimal}`);
  if (Number.isSafeInteger(origin)) return origin;
  throw new UsageError(`The source's origin, ${text}, is no plain number: leave its org out`);
}
