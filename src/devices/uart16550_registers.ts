/**
 * The registers of a 16550A and their bits (TI PC16550D data sheet, section 8 "Registers").
 *
 * @module
 */

/** Offsets of the registers. */
export const UART = {
  /** Read: the received byte. Write: the byte to send. With DLAB: {@linkcode UART.DLL}. */
  RBR: 0,
  /** The byte to send. */
  THR: 0,
  /** The divisor's low byte, while {@linkcode UART_LCR.DLAB} is set. */
  DLL: 0,
  /** Which interrupts are enabled: {@linkcode UART_IER}. */
  IER: 1,
  /** The divisor's high byte, while DLAB is set. */
  DLM: 1,
  /** Read: which interrupt is pending, {@linkcode UART_IIR}. */
  IIR: 2,
  /** Write: the FIFOs' control, {@linkcode UART_FCR}. */
  FCR: 2,
  /** The line's format: {@linkcode UART_LCR}. */
  LCR: 3,
  /** The modem's lines out: {@linkcode UART_MCR}. */
  MCR: 4,
  /** The line's status: {@linkcode UART_LSR}. */
  LSR: 5,
  /** The modem's lines in: {@linkcode UART_MSR}. */
  MSR: 6,
  /** A byte of memory. */
  SCR: 7,
} as const;

/** Interrupt enable register. */
export const UART_IER = {
  /** Received data, and its timeout. */
  RDI: 1 << 0,
  /** The transmitter's holding register is empty. */
  THRI: 1 << 1,
  /** Receiver line status: overrun, parity, framing, break. */
  RLSI: 1 << 2,
  /** Modem status: a line changed. */
  MSI: 1 << 3,
} as const;

/** Interrupt identification register: the pending interrupt of highest priority. */
export const UART_IIR = {
  /** None. */
  NONE: 0b0001,
  /** Receiver line status; the highest priority. Ends when LSR is read. */
  RLSI: 0b0110,
  /** Received data, in FIFO mode as much as the trigger level. Ends when it is read. */
  RDI: 0b0100,
  /** Received data below the trigger level that has been waiting. Ends when it is read. */
  TIMEOUT: 0b1100,
  /** The transmitter's holding register is empty. Ends with this read, or with a byte to send. */
  THRI: 0b0010,
  /** Modem status; the lowest priority. Ends when MSR is read. */
  MSI: 0b0000,
  /** The FIFOs are on: both bits on a 16550A. */
  FIFOS: 0b1100_0000,
} as const;

/** FIFO control register. */
export const UART_FCR = {
  /** The FIFOs are on; without it, the other bits are not looked at. A change empties them. */
  ENABLE: 1 << 0,
  /** Empties the receiver's. */
  CLEAR_RECEIVER: 1 << 1,
  /** Empties the transmitter's. */
  CLEAR_TRANSMITTER: 1 << 2,
  /** Selects the DMA mode; kept, and without effect. */
  DMA_MODE: 1 << 3,
  /** Which of 1, 4, 8 and 14 bytes is the receiver's trigger level. */
  TRIGGER: 0b1100_0000,
} as const;

/** Line control register. */
export const UART_LCR = {
  /** Bits of a character, less 5. Characters pass whole, whatever it says. */
  WORD_LENGTH: 0b11,
  /** Two stop bits. */
  STOP: 1 << 2,
  /** A parity bit. */
  PARITY: 1 << 3,
  /** Even parity. */
  EVEN_PARITY: 1 << 4,
  /** The parity bit is constant. */
  STICK_PARITY: 1 << 5,
  /** Sends a break. */
  BREAK: 1 << 6,
  /** Divisor latch access: offsets 0 and 1 are the divisor. */
  DLAB: 1 << 7,
} as const;

/** Modem control register. */
export const UART_MCR = {
  /** Data terminal ready. */
  DTR: 1 << 0,
  /** Request to send. */
  RTS: 1 << 1,
  /** A line without a purpose. */
  OUT1: 1 << 2,
  /** On a PC: the interrupt line is connected. */
  OUT2: 1 << 3,
  /** What is sent is received, and the modem's lines out are those in. */
  LOOP: 1 << 4,
} as const;

/** Line status register. */
export const UART_LSR = {
  /** Received data is there. */
  DR: 1 << 0,
  /** Overrun: received data got lost. */
  OE: 1 << 1,
  /** The next character has a parity error. */
  PE: 1 << 2,
  /** It has no stop bit. */
  FE: 1 << 3,
  /** It is a break. */
  BI: 1 << 4,
  /** The transmitter's holding register, or FIFO, is empty. */
  THRE: 1 << 5,
  /** The transmitter is idle. */
  TEMT: 1 << 6,
  /** FIFO mode: a character with an error is in the receiver's FIFO. */
  FIFO_ERROR: 1 << 7,
} as const;

/** Modem status register. The lower half says what changed since it was last read. */
export const UART_MSR = {
  /** CTS changed. */
  DCTS: 1 << 0,
  /** DSR changed. */
  DDSR: 1 << 1,
  /** RI ended. */
  TERI: 1 << 2,
  /** DCD changed. */
  DDCD: 1 << 3,
  /** Clear to send. */
  CTS: 1 << 4,
  /** Data set ready. */
  DSR: 1 << 5,
  /** Ring indicator. */
  RI: 1 << 6,
  /** Data carrier detect. */
  DCD: 1 << 7,
} as const;
