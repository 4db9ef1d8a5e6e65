/**
 * Multiboot's structures (Multiboot Specification 0.6.96, 3.1 "OS image format" and 3.3 "Boot
 * information format").
 *
 * @module
 */

/** The header, somewhere in the image's first 8192 bytes. */
export const multibootHeader = {
  /** See {@linkcode HEADER_MAGIC}. */
  magic: "u32",
  /** See {@linkcode HeaderFlag}. */
  flags: "u32",
  /** With the two others, 0 modulo 2^32. */
  checksum: "u32",
} as const;

/** What follows it with `HeaderFlag.ADDRESSES`: how to load what is no ELF file. */
export const multibootAddresses = {
  /** The header's physical address. */
  headerAddr: "u32",
  /** Where loading begins: no higher than the header. */
  loadAddr: "u32",
  /** Where it ends; 0 with the image's end. */
  loadEndAddr: "u32",
  /** Where zeroes end; 0 is none. */
  bssEndAddr: "u32",
  /** The first instruction's address. */
  entryAddr: "u32",
} as const;

/** What the kernel finds at EBX. */
export const multibootInfo = {
  /** See {@linkcode InfoFlag}. */
  flags: "u32",
  /** KiB from 0. */
  memLower: "u32",
  /** KiB from 1 MiB. */
  memUpper: "u32",
  /** The BIOS disk. */
  bootDevice: "u32",
  /** The command line's address. */
  cmdline: "u32",
  /** How many modules. */
  modsCount: "u32",
  /** Their list's address. */
  modsAddr: "u32",
  /** Symbols. */
  syms: "u32[4]",
  /** Bytes of the memory map. */
  mmapLength: "u32",
  /** And its address. */
  mmapAddr: "u32",
  /** Bytes of the drives' list. */
  drivesLength: "u32",
  /** And its address. */
  drivesAddr: "u32",
  /** The BIOS's table. */
  configTable: "u32",
  /** The boot loader's name's address. */
  bootLoaderName: "u32",
  /** APM's table. */
  apmTable: "u32",
  /** VBE. */
  vbeControlInfo: "u32",
  /** VBE's mode. */
  vbeModeInfo: "u32",
  /** The mode's number. */
  vbeMode: "u16",
  /** VBE's protected-mode interface. */
  vbeInterfaceSeg: "u16",
  /** Its offset. */
  vbeInterfaceOff: "u16",
  /** Its bytes. */
  vbeInterfaceLen: "u16",
} as const;

/** A module in the list. */
export const multibootModule = {
  /** Its first address. */
  modStart: "u32",
  /** The first address behind it. */
  modEnd: "u32",
  /** Its command line's address. */
  string: "u32",
  /** 0. */
  reserved: "u32",
} as const;

/** An entry of the memory map; numbers of 64 bits in two halves. */
export const multibootMmapEntry = {
  /** Bytes of the entry without this field. */
  size: "u32",
  /** The first address, its lower half. */
  addrLow: "u32",
  /** And its upper half. */
  addrHigh: "u32",
  /** Bytes, the lower half. */
  lenLow: "u32",
  /** And the upper half. */
  lenHigh: "u32",
  /** 1 is RAM; else as in an e820 entry. */
  type: "u32",
} as const;

/** `magic` of the header. */
export const HEADER_MAGIC = 0x1bad_b002;

/** What EAX tells the kernel. */
export const BOOT_MAGIC = 0x2bad_b002;

/** Bits of the header's `flags`; those below 16 must be known to the loader. */
export const HeaderFlag = {
  /** Modules begin with pages. */
  PAGE_ALIGN: 1 << 0,
  /** It wants `memLower`, `memUpper` and a map. */
  MEMORY_INFO: 1 << 1,
  /** It wants a video mode. */
  VIDEO_MODE: 1 << 2,
  /** The address fields count, and not ELF's headers. */
  ADDRESSES: 1 << 16,
} as const;

/** Bits of the information's `flags`: which fields are there. */
export const InfoFlag = {
  /** `memLower`, `memUpper`. */
  MEMORY: 1 << 0,
  /** `cmdline`. */
  CMDLINE: 1 << 2,
  /** `modsCount`, `modsAddr`. */
  MODS: 1 << 3,
  /** `mmapLength`, `mmapAddr`. */
  MEM_MAP: 1 << 6,
  /** `bootLoaderName`. */
  BOOT_LOADER_NAME: 1 << 9,
} as const;
