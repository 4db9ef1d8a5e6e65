/**
 * ELF files, put together from parts.
 *
 * @module
 */

import { bytesOf, create, sizeOf } from "../../ffi/mod.ts";
import {
  elf32Ehdr,
  elf32Phdr,
  elf64Ehdr,
  elf64Phdr,
  ElfMachine,
  ElfType,
  SegmentKind,
} from "../../src/loader/elf/headers.ts";

/** A segment, or notes. */
export interface Part {
  readonly type?: number;
  readonly bytes: Uint8Array;
  readonly physAddr: number;
  readonly virtAddr?: number | bigint;
  readonly memorySize?: number;
  readonly align?: number;
}

/** A file. */
export interface ElfParts {
  readonly bits: 32 | 64;
  readonly entry: number | bigint;
  readonly parts: readonly Part[];
  readonly type?: number;
}

/** Puts the header, the program headers, and each part's bytes one behind the other. */
export function elf(
  { bits, entry, parts, type = ElfType.EXEC }: ElfParts,
): Uint8Array<ArrayBuffer> {
  const [Ehdr, Phdr] = bits === 64 ? [elf64Ehdr, elf64Phdr] : [elf32Ehdr, elf32Phdr];
  const header = create<typeof elf64Ehdr | typeof elf32Ehdr>(Ehdr) as Fields;
  const number = (value: number | bigint) => bits === 64 ? BigInt(value) : Number(value);
  bytesOf(header).set([0x7f, 0x45, 0x4c, 0x46, bits / 32, 1, 1]);
  Object.assign(header, {
    type,
    machine: bits === 64 ? ElfMachine.X86_64 : ElfMachine.I386,
    version: 1,
    entry: number(entry),
    phoff: number(sizeOf(Ehdr)),
    ehsize: sizeOf(Ehdr),
    phentsize: sizeOf(Phdr),
    phnum: parts.length,
  });
  let offset = sizeOf(Ehdr) + parts.length * sizeOf(Phdr);
  const chunks: Uint8Array[] = [bytesOf(header)];
  for (const { type = SegmentKind.LOAD, bytes, physAddr, ...part } of parts) {
    const phdr = create<typeof elf64Phdr | typeof elf32Phdr>(Phdr) as Fields;
    Object.assign(phdr, {
      type,
      flags: 7,
      offset: number(offset),
      vaddr: number(part.virtAddr ?? physAddr),
      paddr: number(physAddr),
      filesz: number(bytes.length),
      memsz: number(part.memorySize ?? bytes.length),
      align: number(part.align ?? 1),
    });
    chunks.push(bytesOf(phdr));
    offset += bytes.length;
  }
  return concat([...chunks, ...parts.map(({ bytes }) => bytes)]);
}

/** Notes: names and descriptors are padded to 4 bytes. */
export function note(name: string, type: number, descriptor: Uint8Array): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(`${name}\0`);
  const head = Uint32Array.of(text.length, descriptor.length, type);
  const padded = (bytes: Uint8Array) => concat([bytes, new Uint8Array(-bytes.length & 3)]);
  return concat([new Uint8Array(head.buffer), padded(text), padded(descriptor)]);
}

/** All of these bytes. */
export function concat(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

type Fields = Record<string, unknown>;
