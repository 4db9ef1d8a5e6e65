/**
 * What a serial port remembers.
 *
 * @module
 */

/** All that a `Uart16550` remembers. */
export const uart16550State = {
  /** Interrupt enable register. */
  ier: "u8",
  /** FIFO control register, without the bits that clear. */
  fcr: "u8",
  /** Line control register. */
  lcr: "u8",
  /** Modem control register. */
  mcr: "u8",
  /** Modem status register. */
  msr: "u8",
  /** Scratch register. */
  scr: "u8",
  /** The divisor's low byte. */
  dll: "u8",
  /** The divisor's high byte. */
  dlm: "u8",
  /** Whether data was lost since LSR was last read. */
  overrun: "u8",
  /** Whether the transmitter has become empty, and the guest was not told yet. */
  thrEmpty: "u8",
  /** The interrupt line's level. */
  interrupt: "u8",
  /** In which lines of MSR what is connected differs from a terminal that is ready. */
  peer: "u8",
  /** Where the receiver's oldest byte is. */
  head: "u8",
  /** How many bytes the receiver has. */
  count: "u8",
  /** How many of them have an error. */
  faults: "u8",
  /** The receiver's FIFO; the first one is the only one in 16450 mode. */
  fifo: "u8[16]",
  /** The error bits of LSR that go with each byte. */
  errors: "u8[16]",
} as const;
