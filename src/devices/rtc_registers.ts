/**
 * The clock's registers (Motorola MC146818A data sheet, "Address map" and "Registers").
 *
 * @module
 */

/** Indices of the registers: what is written to port 0x70. */
export const RTC = {
  /** Seconds. */
  SECONDS: 0x00,
  /** The alarm's seconds. */
  SECONDS_ALARM: 0x01,
  /** Minutes. */
  MINUTES: 0x02,
  /** The alarm's minutes. */
  MINUTES_ALARM: 0x03,
  /** Hours. */
  HOURS: 0x04,
  /** The alarm's hours. */
  HOURS_ALARM: 0x05,
  /** 1 Sunday to 7 Saturday. */
  DAY_OF_WEEK: 0x06,
  /** 1 to 31. */
  DAY_OF_MONTH: 0x07,
  /** 1 to 12. */
  MONTH: 0x08,
  /** Of the century. */
  YEAR: 0x09,
  /** Divider and rate: {@linkcode RTC_A}. */
  A: 0x0a,
  /** Control: {@linkcode RTC_B}. */
  B: 0x0b,
  /** What happened: {@linkcode RTC_C}. Reading it clears it. */
  C: 0x0c,
  /** The battery: {@linkcode RTC_D}. */
  D: 0x0d,
  /** Memory below 1 MiB in KiB: the low byte, the high one after it. */
  BASE_MEMORY: 0x15,
  /** Memory above 1 MiB in KiB, at most 0xffff, as the firmware was told. */
  EXTENDED_MEMORY: 0x17,
  /** The same, as the firmware found it. */
  EXTENDED_MEMORY_FOUND: 0x30,
  /** The century: 0x20. */
  CENTURY: 0x32,
  /** Memory above 16 MiB, below 4 GiB, in 64 KiB. */
  HIGH_MEMORY: 0x34,
  /** Memory above 4 GiB in 64 KiB: 3 bytes. */
  MEMORY_ABOVE_4G: 0x5b,
} as const;

/** Register A. */
export const RTC_A = {
  /** How often the periodic interrupt comes: 3 for 8192 times a second, each more halves it. */
  RATE: 0x0f,
  /** The divider: 2 for the usual crystal. */
  DIVIDER: 0x70,
  /** A divider of 6 or 7 is held at zero, and begins half a second before the next update. */
  DIVIDER_RESET: 0x60,
  /** An update is in progress or near; read only. */
  UIP: 1 << 7,
} as const;

/** Register B. */
export const RTC_B = {
  /** Daylight saving; kept, and without effect. */
  DSE: 1 << 0,
  /** Hours count to 24, and not twice to 12 with bit 7 for the afternoon. */
  HOURS_24: 1 << 1,
  /** Registers are binary, and not BCD. */
  BINARY: 1 << 2,
  /** Square wave; kept, and without effect. */
  SQWE: 1 << 3,
  /** The end of an update interrupts. */
  UIE: 1 << 4,
  /** The alarm interrupts. */
  AIE: 1 << 5,
  /** The periodic interrupt is on. */
  PIE: 1 << 6,
  /** The time stands still to be set. */
  SET: 1 << 7,
} as const;

/** Register C: at the same bits as what enables them in B. */
export const RTC_C = {
  /** An update has ended. */
  UF: 1 << 4,
  /** The alarm's time has come. */
  AF: 1 << 5,
  /** A period is over. */
  PF: 1 << 6,
  /** One of them interrupts. */
  IRQF: 1 << 7,
} as const;

/** Register D. */
export const RTC_D = {
  /** The battery is good: time and memory are valid. */
  VRT: 1 << 7,
} as const;
