/**
 * ELF's headers (System V gABI, chapters 4 "ELF Header" and 5 "Program Header").
 *
 * @module
 */

/** A 64-bit file's header. */
export const elf64Ehdr = {
  /** Magic, class, byte order, version; see {@linkcode ElfIdent}. */
  ident: "u8[16]",
  /** See {@linkcode ElfType}. */
  type: "u16",
  /** See {@linkcode ElfMachine}. */
  machine: "u16",
  /** 1. */
  version: "u32",
  /** The first instruction's address. */
  entry: "u64",
  /** The program headers' offset in the file. */
  phoff: "u64",
  /** The section headers' offset in the file. */
  shoff: "u64",
  /** For the processor; none on x86. */
  flags: "u32",
  /** Bytes of this header. */
  ehsize: "u16",
  /** Bytes of a program header. */
  phentsize: "u16",
  /** How many program headers. */
  phnum: "u16",
  /** Bytes of a section header. */
  shentsize: "u16",
  /** How many section headers. */
  shnum: "u16",
  /** The section with the sections' names. */
  shstrndx: "u16",
} as const;

/** A 32-bit file's header. */
export const elf32Ehdr = {
  ...elf64Ehdr,
  entry: "u32",
  phoff: "u32",
  shoff: "u32",
} as const;

/** A program header of a 64-bit file. */
export const elf64Phdr = {
  /** See {@linkcode SegmentKind}. */
  type: "u32",
  /** Read, write, execute. */
  flags: "u32",
  /** Where its bytes are in the file. */
  offset: "u64",
  /** Its virtual address. */
  vaddr: "u64",
  /** Its physical address. */
  paddr: "u64",
  /** Bytes in the file. */
  filesz: "u64",
  /** Bytes in memory: what the file has not is zero. */
  memsz: "u64",
  /** Addresses and offset agree modulo this: 0, 1 or a power of two. */
  align: "u64",
} as const;

/** A program header of a 32-bit file. */
export const elf32Phdr = {
  /** See {@linkcode SegmentKind}. */
  type: "u32",
  /** Where its bytes are in the file. */
  offset: "u32",
  /** Its virtual address. */
  vaddr: "u32",
  /** Its physical address. */
  paddr: "u32",
  /** Bytes in the file. */
  filesz: "u32",
  /** Bytes in memory: what the file has not is zero. */
  memsz: "u32",
  /** Read, write, execute. */
  flags: "u32",
  /** Addresses and offset agree modulo this: 0, 1 or a power of two. */
  align: "u32",
} as const;

/** A note's header; name and descriptor follow, each padded (chapter 5, "Note Section"). */
export const elfNhdr = {
  /** Bytes of the name, its zero included. */
  namesz: "u32",
  /** Bytes of the descriptor. */
  descsz: "u32",
  /** What it is, for those who know the name. */
  type: "u32",
} as const;

/** Places in the header's `ident`, and what is there. */
export const ElfIdent = {
  /** 0x7f, "ELF". */
  MAGIC: [0x7f, 0x45, 0x4c, 0x46],
  /** Place of the class. */
  CLASS: 4,
  /** 32-bit. */
  CLASS32: 1,
  /** 64-bit. */
  CLASS64: 2,
  /** Place of the byte order. */
  DATA: 5,
  /** Little-endian. */
  DATA2LSB: 1,
} as const;

/** What a file is. */
export const ElfType = {
  /** At fixed addresses. */
  EXEC: 2,
  /** At any address. */
  DYN: 3,
} as const;

/** What a file's code is for. */
export const ElfMachine = {
  /** 32-bit x86. */
  I386: 3,
  /** 64-bit x86. */
  X86_64: 62,
} as const;

/** What a program header describes. */
export const SegmentKind = {
  /** Bytes to load. */
  LOAD: 1,
  /** The dynamic linker's name. */
  INTERP: 3,
  /** Notes. */
  NOTE: 4,
} as const;
