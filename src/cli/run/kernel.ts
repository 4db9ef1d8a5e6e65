/**
 * A kernel that is assembled first.
 *
 * @module
 */

import { isName } from "../../../ffi/mod.ts";
import { assemble, AssembleError, type Bits } from "../../assemble/mod.ts";
import { FLAT_ADDRESS, isBootSector } from "../../loader/mod.ts";
import type { KernelOptions } from "../../machine/mod.ts";
import { UsageError } from "../command.ts";
import { readWhole } from "./files.ts";
import type { RunOptions } from "./options.ts";

const bitsOf: Readonly<Record<keyof typeof FLAT_ADDRESS, Bits>> = {
  flat16: 16,
  flat32: 32,
  flat64: 64,
};

type Kernel = Pick<KernelOptions, "kernel" | "protocol" | "loadAddress" | "entry">;

/** The kernel as a machine takes it: NASM source as bytes, with its place and its mode. */
export async function kernelOf(
  options: RunOptions,
  signal: AbortSignal | undefined,
): Promise<Kernel> {
  const { kernel, protocol, loadAddress, entry } = options;
  if (!kernel.endsWith(".asm")) return { kernel, protocol, loadAddress, entry };
  if (protocol !== undefined && !isName(bitsOf, protocol)) {
    throw new UsageError(`Source is started as flat16, flat32 or flat64, not as ${protocol}`);
  }
  const source = new TextDecoder().decode(await readWhole(kernel, signal));
  const own = originOf(source);
  const include = [kernel.slice(0, kernel.lastIndexOf("/") + 1) || "./"];
  const as = (mode: keyof typeof bitsOf) => {
    const place = loadAddress ?? own ?? FLAT_ADDRESS[mode];
    // NASM reads no file here: a bare snippet needs the bits and the origin before its first line.
    const origin = own === undefined ? { origin: place } : {};
    const image = assemble(source, { bits: bitsOf[mode], include, ...origin });
    return { kernel: image, protocol: mode, loadAddress: place, entry };
  };
  if (protocol !== undefined) return as(protocol);
  try {
    const flat = as("flat64");
    return isBootSector(flat.kernel) ? as("flat16") : flat;
  } catch (error) {
    if (!(error instanceof AssembleError)) throw error;
    // Without a word on bits in it, it may be for 16 of them alone.
    const sector = attempt(() => as("flat16"));
    if (sector === undefined || !isBootSector(sector.kernel)) throw error;
    return sector;
  }
}

/** What assembles, if it does. */
function attempt<T>(assembling: () => T): T | undefined {
  try {
    return assembling();
  } catch (error) {
    if (error instanceof AssembleError) return undefined;
    throw error;
  }
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
