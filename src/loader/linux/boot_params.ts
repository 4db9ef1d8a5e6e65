/**
 * Linux's zero page, `struct boot_params` (x86/zero-page.rst, x86/boot.rst "The Real-Mode Kernel
 * Header").
 *
 * @module
 */

/** An entry of the memory map, 20 bytes; numbers of 64 bits in two halves, for C packs it. */
export const bootE820Entry = {
  /** The first address, its lower half. */
  addrLow: "u32",
  /** And its upper half. */
  addrHigh: "u32",
  /** Bytes, the lower half. */
  sizeLow: "u32",
  /** And the upper half. */
  sizeHigh: "u32",
  /** What it is. */
  type: "u32",
} as const;

/**
 * The setup header. It begins at 0x1f1 of the image and of the zero page alike; the table begins one
 * byte before, where C's alignment is right for all but one field.
 */
export const setupHeader = {
  /** Before the header. */
  pad: "u8",
  /** Sectors of real-mode code after the first one; 0 is 4. */
  setupSects: "u8",
  /** Not 0: the root is mounted read-only. */
  rootFlags: "u16",
  /** Bytes of the protected-mode code, in 16s. */
  syssize: "u32",
  /** Of old. */
  ramSize: "u16",
  /** The video mode; 0xffff is the normal one. */
  vidMode: "u16",
  /** The root device's number. */
  rootDev: "u16",
  /** 0xaa55. */
  bootFlag: "u16",
  /** A short jump; its second byte is the length of what follows. */
  jump: "u16",
  /** "HdrS", `__u32 header` in C. */
  header: "u8[4]",
  /** The protocol's version: 0x020c is 2.12. */
  version: "u16",
  /** A hook. */
  realmodeSwtch: "u32",
  /** Of old. */
  startSysSeg: "u16",
  /** Where the version's text is, less 0x200. */
  kernelVersion: "u16",
  /** Who loads; 0xff has no number. */
  typeOfLoader: "u8",
  /** See {@linkcode LoadFlags}. */
  loadflags: "u8",
  /** Of old. */
  setupMoveSize: "u16",
  /** Where the 32-bit code is. */
  code32Start: "u32",
  /** The initial ramdisk's address. */
  ramdiskImage: "u32",
  /** And its bytes. */
  ramdiskSize: "u32",
  /** Of old. */
  bootsectKludge: "u32",
  /** The end of the real-mode heap, less 0x200. */
  heapEndPtr: "u16",
  /** More of the loader's version. */
  extLoaderVer: "u8",
  /** More of the loader's number. */
  extLoaderType: "u8",
  /** The command line's address. */
  cmdLinePtr: "u32",
  /** The highest address that the initial ramdisk may have a byte at. */
  initrdAddrMax: "u32",
  /** What a relocatable kernel's address is a multiple of. */
  kernelAlignment: "u32",
  /** Not 0: it may be loaded anywhere. */
  relocatableKernel: "u8",
  /** The least alignment, as a power of two. */
  minAlignment: "u8",
  /** See {@linkcode XLoadFlags}. */
  xloadflags: "u16",
  /** The longest command line, without its zero. */
  cmdlineSize: "u32",
  /** The kind of machine; 0 is a PC. */
  hardwareSubarch: "u32",
  /** More of that. */
  hardwareSubarchData: "u64",
  /** Where the compressed kernel is, from the protected-mode code on. */
  payloadOffset: "u32",
  /** And its bytes. */
  payloadLength: "u32",
  /** A list of more parameters. */
  setupData: "u64",
  /** Where the kernel would rather be. */
  prefAddress: "u64",
  /** Bytes that it needs from where it runs, until it knows its memory. */
  initSize: "u32",
  /** EFI's entry. */
  handoverOffset: "u32",
  /** Where more information about the kernel is. */
  kernelInfoOffset: "u32",
} as const;

/** The zero page, 4096 bytes. */
export const bootParams = {
  /** The screen: 0 is none. The first bytes are the cursor's place. */
  screenInfoHead: "u8[2]",
  /** `screen_info.ext_mem_k`: KiB above 1 MiB as far as 16 bits go. */
  extMemK: "u16",
  /** The rest of the screen. */
  screenInfoTail: "u8[60]",
  /** APM BIOS. */
  apmBiosInfo: "u8[20]",
  /** Unused. */
  pad2: "u8[4]",
  /** Trusted boot. */
  tbootAddr: "u64",
  /** SpeedStep. */
  istInfo: "u8[16]",
  /** The RSDP, where ACPI's tables begin. */
  acpiRsdpAddr: "u64",
  /** Unused. */
  pad3: "u8[8]",
  /** The first hard disk. */
  hd0Info: "u8[16]",
  /** The second hard disk. */
  hd1Info: "u8[16]",
  /** Of old. */
  sysDescTable: "u8[16]",
  /** OLPC. */
  olpcOfwHeader: "u8[16]",
  /** Upper half of the initial ramdisk's address. */
  extRamdiskImage: "u32",
  /** Upper half of its size. */
  extRamdiskSize: "u32",
  /** Upper half of the command line's address. */
  extCmdLinePtr: "u32",
  /** Unused. */
  pad4: "u8[112]",
  /** Confidential computing. */
  ccBlobAddress: "u32",
  /** The monitor. */
  edidInfo: "u8[128]",
  /** EFI. */
  efiInfo: "u8[32]",
  /** KiB above 1 MiB, in one piece. */
  altMemK: "u32",
  /** The kernel's own. */
  scratch: "u32",
  /** How many entries the memory map has. */
  e820Entries: "u8",
  /** How many disks EDD knows. */
  eddbufEntries: "u8",
  /** How many disks' signatures there are. */
  eddMbrSigBufEntries: "u8",
  /** The keyboard's lights. */
  kbdStatus: "u8",
  /** EFI's secure boot. */
  secureBoot: "u8",
  /** Unused. */
  pad5: "u8[2]",
  /** 0, or the kernel takes the page for one that was never cleared. */
  sentinel: "u8",
  /** What the image says, completed. */
  hdr: setupHeader,
  /** Room for a longer header. */
  pad7: "u8[32]",
  /** Disks' signatures. */
  eddMbrSigBuffer: "u32[16]",
  /** The memory map. */
  e820Table: [bootE820Entry, 128],
  /** Unused. */
  pad8: "u8[48]",
  /** Disks. */
  eddbuf: "u8[492]",
  /** Unused. */
  pad9: "u8[276]",
} as const;

/** Bits of `loadflags`. */
export const LoadFlags = {
  /** The protected-mode code goes to 1 MiB, and not to 64 KiB: a bzImage. */
  LOADED_HIGH: 1 << 0,
  /** `heapEndPtr` is set. */
  CAN_USE_HEAP: 1 << 7,
} as const;

/** Bits of `xloadflags`. */
export const XLoadFlags = {
  /** There is a 64-bit entry 0x200 behind the 32-bit one. */
  KERNEL_64: 1 << 0,
  /** Everything may be above 4 GiB. */
  CAN_BE_LOADED_ABOVE_4G: 1 << 1,
} as const;

/** `bootFlag`. */
export const BOOT_FLAG = 0xaa55;

/** `header`, as text. */
export const HDRS = "HdrS";

/** `typeOfLoader` of a loader that has no number. */
export const LOADER_UNDEFINED = 0xff;
