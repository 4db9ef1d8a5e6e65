/**
 * QEMU's firmware configuration device: keys, registers and the DMA structure (QEMU's documentation,
 * "QEMU Firmware Configuration (fw_cfg) Device").
 *
 * @module
 */

/** Offsets of the registers. */
export const FW_CFG = {
  /** Write, 16 bits: which item. */
  SELECTOR: 0,
  /** Read, 8 bits: the item's next byte. */
  DATA: 1,
  /** The upper half of the DMA structure's address, big-endian. */
  DMA_HIGH: 4,
  /** The lower half; writing it starts the operation. */
  DMA_LOW: 8,
} as const;

/** Keys of items that are always at the same place. */
export const FW_CFG_KEY = {
  /** Four bytes, "QEMU". */
  SIGNATURE: 0x0000,
  /** 32 bits: {@linkcode FW_CFG_ID}. */
  ID: 0x0001,
  /** 64 bits: bytes of memory. */
  RAM_SIZE: 0x0003,
  /** 16 bits: processors at the start. */
  NB_CPUS: 0x0005,
  /** 16 bits: processors at most. */
  MAX_CPUS: 0x000f,
  /** The directory of files. */
  FILE_DIR: 0x0019,
  /** The first file. */
  FILE_FIRST: 0x0020,
  /** Keys below this are one and the same for every architecture; bit 14 is without effect. */
  LIMIT: 0x4000,
  /** Says that a key is one of the architecture's own; there are none here by themselves. */
  ARCH_LOCAL: 0x8000,
} as const;

/** What the device can do. */
export const FW_CFG_ID = {
  /** Selector and data. */
  TRADITIONAL: 1 << 0,
  /** The DMA structure. */
  DMA: 1 << 1,
} as const;

/** Bits of the DMA structure's control field. */
export const FW_CFG_DMA = {
  /** Something went wrong. */
  ERROR: 1 << 0,
  /** Copies from the item to memory. */
  READ: 1 << 1,
  /** Leaves bytes of the item out. */
  SKIP: 1 << 2,
  /** Selects the item whose key is in the upper 16 bits. */
  SELECT: 1 << 3,
  /** Copies from memory to the item: an error here, nothing can be written. */
  WRITE: 1 << 4,
} as const;
