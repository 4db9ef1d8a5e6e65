/**
 * What PVH and Multiboot hand to a kernel: a page with an information structure and lists behind it,
 * and texts and modules elsewhere.
 *
 * @module
 */

import { bytesOf, create, Errno, sizeOf, type StructOf, type Table } from "../../ffi/mod.ts";
import { roundUp } from "../boot/parts/mod.ts";
import { BOOT_PAGE_TABLES, COMMAND_LINE, COMMAND_LINE_SIZE, ZERO_PAGE } from "../firmware/mod.ts";
import type { Range } from "../memory/mod.ts";
import type { KernelModule, LoadOptions } from "./options.ts";
import type { Plan } from "./plan.ts";
import { zeroTerminated } from "./text.ts";

/** The information structure and its lists lie where Linux has its zero page; 32-bit entries have no
 * page tables behind it. */
const INFO = ZERO_PAGE;
const INFO_SIZE = BOOT_PAGE_TABLES - ZERO_PAGE;

/** Structs, one behind the other, to be written as one block. */
export class InfoBlock {
  readonly #plan: Plan;
  readonly #what: string;
  readonly #parts: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  #end = 0;

  /** @param what What the block is, for people. */
  constructor(plan: Plan, what: string) {
    this.#plan = plan;
    this.#what = what;
  }

  /** Adds structs of one table. */
  add<const T extends Table>(table: T, count: number): { address: number; structs: StructOf<T>[] } {
    const structs = Array.from({ length: count }, () => create(table));
    const at = roundUp(this.#end, 8);
    const size = sizeOf(table);
    structs.forEach((struct, index) => {
      this.#parts.push({ at: at + index * size, bytes: bytesOf(struct as object) });
    });
    this.#end = at + count * size;
    return { address: INFO + at, structs };
  }

  /** Claims the block's place and has it written: fields may have been set until now. */
  put(): number {
    if (this.#end > INFO_SIZE) {
      const hint = `The ${this.#what} has ${this.#end} bytes, and there is room for ` +
        `${INFO_SIZE}: fewer modules, or fewer entries of the memory map`;
      throw this.#plan.error(Errno.E2BIG, hint);
    }
    const bytes = new Uint8Array(this.#end);
    for (const part of this.#parts) bytes.set(part.bytes, part.at);
    return this.#plan.put(this.#what, INFO, bytes).guestPhysAddr;
  }
}

/** Texts, each with a zero, to be written as one block. */
export class TextBlock {
  readonly #plan: Plan;
  readonly #texts: Uint8Array[] = [];
  #size = 0;

  /** No text yet. */
  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** Adds one; its address. */
  add(text: string): number {
    const bytes = zeroTerminated(text);
    const address = COMMAND_LINE + this.#size;
    this.#texts.push(bytes);
    this.#size += bytes.length;
    return address;
  }

  /** Claims the block's place and has it written. */
  put(): void {
    if (this.#size > COMMAND_LINE_SIZE) {
      const hint = `The command lines have ${this.#size} bytes together, and there is room for ` +
        `${COMMAND_LINE_SIZE}: shorten them`;
      throw this.#plan.error(Errno.E2BIG, hint);
    }
    const bytes = new Uint8Array(this.#size);
    let at = 0;
    for (const text of this.#texts) {
      bytes.set(text, at);
      at += text.length;
    }
    this.#plan.put("command line", COMMAND_LINE, bytes);
  }
}

/** A module at its place. */
export interface PlacedModule {
  /** Where it is. */
  readonly range: Range;
  /** Its command line, if it has one. */
  readonly commandLine: string | undefined;
}

/** Places the initial ramdisk, as the first of all modules, and the modules. */
export function putModules(
  plan: Plan,
  { initrd, modules = [] }: LoadOptions,
  place: (what: string, size: number) => Range,
): PlacedModule[] {
  const first: KernelModule[] = initrd === undefined ? [] : [{ image: initrd }];
  return [...first, ...modules].map(({ image, commandLine }, index) => {
    const what = initrd === undefined
      ? `module ${index}`
      : index === 0
      ? "initrd"
      : `module ${index - 1}`;
    const range = place(what, image.length);
    plan.fill(range, image);
    return { range, commandLine };
  });
}
