/**
 * What an ELF file says of itself, after it was found to make sense.
 *
 * @module
 */

import { Errno, sizeOf, type StructOf } from "../../../ffi/mod.ts";
import { PHYSICAL_END } from "../../arch/x86/mod.ts";
import type { ImageReader } from "../reader.ts";
import { hex } from "../text.ts";
import {
  elf32Ehdr,
  elf32Phdr,
  elf64Ehdr,
  elf64Phdr,
  ElfIdent,
  ElfMachine,
  ElfType,
  SegmentKind,
} from "./headers.ts";

/** A segment to load. */
export interface ElfSegment {
  /** The program header's number. */
  readonly index: number;
  /** Where its bytes are in the file. */
  readonly offset: number;
  /** Bytes in the file. */
  readonly fileSize: number;
  /** Bytes in memory. */
  readonly memorySize: number;
  /** Its physical address. */
  readonly physAddr: number;
  /** Its virtual address. */
  readonly virtAddr: bigint;
}

/** A range of the file. */
export interface FileRange {
  /** The first byte's offset. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
}

/** Notes, and how they are padded. */
export interface NoteRange extends FileRange {
  /** 4 or 8. */
  readonly align: number;
}

/** An ELF file. */
export interface ElfImage {
  /** Whether its code is 32-bit or 64-bit. */
  readonly bits: 32 | 64;
  /** Whether it may be moved. */
  readonly relocatable: boolean;
  /** The largest alignment of its segments. */
  readonly align: number;
  /** The first instruction's address as the header has it. */
  readonly entry: bigint;
  /** What is loaded, by ascending physical address; no two overlap. */
  readonly segments: readonly [ElfSegment, ...ElfSegment[]];
  /** Where its notes are. */
  readonly notes: readonly NoteRange[];
}

const identification = { ident: elf64Ehdr.ident } as const;

/** Linux takes no more for a program, either: bounds the work on a hostile one. */
const PHDRS_MAX = 65_536;

type Phdr = Omit<StructOf<typeof elf64Phdr>, "flags">;

/** Whether an image begins as an ELF file does. */
export function isElf(image: Uint8Array): boolean {
  return ElfIdent.MAGIC.every((byte, index) => image[index] === byte);
}

/**
 * Reads the headers.
 *
 * @throws {KvmError} ENOEXEC for what is no static, little-endian x86 program.
 */
export function parseElf(reader: ImageReader): ElfImage {
  if (!isElf(reader.image)) throw reader.malformed(0, "no ELF file begins like this");
  const { ident } = reader.struct(identification, 0, "ELF's identification");
  const elfClass = ident[ElfIdent.CLASS];
  if (elfClass !== ElfIdent.CLASS32 && elfClass !== ElfIdent.CLASS64) {
    throw reader.malformed(ElfIdent.CLASS, `an ELF file's class is 1 or 2, not ${elfClass}`);
  }
  if (ident[ElfIdent.DATA] !== ElfIdent.DATA2LSB) {
    throw reader.malformed(ElfIdent.DATA, "it is not little-endian, and so not for x86");
  }
  const bits = elfClass === ElfIdent.CLASS64 ? 64 : 32;
  const header = bits === 64
    ? reader.struct(elf64Ehdr, 0, "the ELF header")
    : reader.struct(elf32Ehdr, 0, "the ELF header");
  const machine = bits === 64 ? ElfMachine.X86_64 : ElfMachine.I386;
  if (header.machine !== machine) {
    const hint = `a ${bits}-bit program for x86 has machine ${machine}, not ${header.machine}`;
    throw reader.malformed(0x12, hint);
  }
  if (header.type !== ElfType.EXEC && header.type !== ElfType.DYN) {
    const hint = `type ${header.type} is no program, which is 2 or 3: link it first`;
    throw reader.malformed(0x10, hint);
  }
  const { loads, notes } = sort(reader, programHeaders(reader, bits, header));
  const segments = loads.map(({ phdr, at, index }) => segmentOf(reader, phdr, at, index))
    .toSorted((a, b) => a.physAddr - b.physAddr);
  const [first, ...others] = segments;
  if (first === undefined) throw reader.malformed(0, "no program header has anything to load");
  refuseOverlaps(reader, segments);
  return {
    bits,
    relocatable: header.type === ElfType.DYN,
    align: loads.map(({ phdr, at }) => alignOf(reader, phdr, at)).reduce((a, b) => Math.max(a, b)),
    entry: BigInt(header.entry),
    segments: [first, ...others],
    notes: notes.map(({ phdr, at }) => ({
      ...fileRange(reader, phdr, at, "Notes"),
      align: phdr.align === 8n ? 8 : 4,
    })),
  };
}

interface Located {
  readonly phdr: Phdr;
  /** The header's offset in the file. */
  readonly at: number;
  readonly index: number;
}

function programHeaders(
  reader: ImageReader,
  bits: 32 | 64,
  header: StructOf<typeof elf64Ehdr> | StructOf<typeof elf32Ehdr>,
): Located[] {
  const size = sizeOf(bits === 64 ? elf64Phdr : elf32Phdr);
  const { phnum, phentsize } = header;
  const where = bits === 64 ? 0x36 : 0x2a;
  if (phnum === 0) throw reader.malformed(where + 2, "there are no program headers: link it");
  if (phentsize !== size) {
    throw reader.malformed(where, `a program header has ${size} bytes, not ${phentsize}`);
  }
  if (phnum * size > PHDRS_MAX) {
    throw reader.malformed(where + 2, `${phnum} program headers are more than any program needs`);
  }
  const start = reader.exact(BigInt(header.phoff), bits === 64 ? 0x20 : 0x1c, "e_phoff");
  reader.need(start, phnum * size, "the program headers");
  return Array.from({ length: phnum }, (_, index) => {
    const at = start + index * size;
    const phdr = bits === 64
      ? reader.struct(elf64Phdr, at, "a program header")
      : widen(reader.struct(elf32Phdr, at, "a program header"));
    return { phdr, at, index };
  });
}

function widen(
  { type, offset, vaddr, paddr, filesz, memsz, align }: StructOf<typeof elf32Phdr>,
): Phdr {
  return {
    type,
    offset: BigInt(offset),
    vaddr: BigInt(vaddr),
    paddr: BigInt(paddr),
    filesz: BigInt(filesz),
    memsz: BigInt(memsz),
    align: BigInt(align),
  };
}

function sort(
  reader: ImageReader,
  headers: readonly Located[],
): { loads: Located[]; notes: Located[] } {
  const interpreter = headers.find(({ phdr }) => phdr.type === SegmentKind.INTERP);
  if (interpreter !== undefined) {
    const hint = "it wants a dynamic linker, which is not there: link it with -static";
    throw reader.malformed(interpreter.at, hint);
  }
  return {
    loads: headers.filter(({ phdr }) => phdr.type === SegmentKind.LOAD && phdr.memsz > 0n),
    notes: headers.filter(({ phdr }) => phdr.type === SegmentKind.NOTE),
  };
}

function segmentOf(reader: ImageReader, phdr: Phdr, at: number, index: number): ElfSegment {
  const what = `Segment ${index}`;
  if (phdr.filesz > phdr.memsz) {
    const sizes = `${hex(phdr.filesz)} bytes in the file and ${hex(phdr.memsz)} in memory`;
    throw reader.malformed(at, `${what} has ${sizes}: there must be room for all of it`);
  }
  const { offset, size } = fileRange(reader, phdr, at, what);
  const physAddr = reader.exact(phdr.paddr, at, `${what}'s physical address`);
  const memorySize = reader.exact(phdr.memsz, at, `${what}'s size in memory`);
  if (physAddr + memorySize > PHYSICAL_END) {
    throw reader.malformed(at, `${what} ends beyond all physical addresses`);
  }
  return { index, offset, fileSize: size, memorySize, physAddr, virtAddr: phdr.vaddr };
}

function fileRange(reader: ImageReader, phdr: Phdr, at: number, what: string): FileRange {
  const offset = reader.exact(phdr.offset, at, `${what}'s offset in the file`);
  const size = reader.exact(phdr.filesz, at, `${what}'s size in the file`);
  // A segment without bytes may begin anywhere.
  if (size === 0) return { offset: 0, size };
  reader.need(offset, size, what);
  return { offset, size };
}

function alignOf(reader: ImageReader, { align }: Phdr, at: number): number {
  if ((align & (align - 1n)) !== 0n && align !== 0n) {
    throw reader.malformed(at, `the alignment, ${hex(align)}, is no power of two`);
  }
  return Math.max(1, reader.exact(align, at, "the alignment"));
}

function refuseOverlaps(reader: ImageReader, segments: readonly ElfSegment[]): void {
  segments.forEach((segment, place) => {
    const next = segments[place + 1];
    if (next === undefined || segment.physAddr + segment.memorySize <= next.physAddr) return;
    const hint = `Segments ${segment.index} and ${next.index} overlap at physical address ` +
      `${hex(next.physAddr)}: give each its own, in the linker script`;
    throw reader.error(Errno.ENOEXEC, hint);
  });
}
