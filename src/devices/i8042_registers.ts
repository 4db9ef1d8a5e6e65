/**
 * The keyboard controller's registers and commands (IBM PS/2 Hardware Interface Technical Reference,
 * "Keyboard and auxiliary device controller").
 *
 * @module
 */

/** Status, at offset 4. */
export const I8042_STATUS = {
  /** There is a byte to read. */
  OUTPUT_FULL: 1 << 0,
  /** The controller has not taken the last byte yet: never, here. */
  INPUT_FULL: 1 << 1,
  /** The self test has passed: {@linkcode I8042_CONFIG.SYSTEM}. */
  SYSTEM: 1 << 2,
  /** The last byte written was a command. */
  COMMANDED: 1 << 3,
  /** The keyboard is not locked by its key. */
  UNLOCKED: 1 << 4,
  /** The byte to read is the auxiliary device's: never, here. */
  AUX_FULL: 1 << 5,
  /** The keyboard did not answer in time: never, here. */
  TIMEOUT: 1 << 6,
  /** A byte had a parity error: never, here. */
  PARITY: 1 << 7,
} as const;

/** The configuration: byte 0 of the controller's memory. */
export const I8042_CONFIG = {
  /** A byte to read raises IRQ 1. */
  KEYBOARD_INTERRUPT: 1 << 0,
  /** A byte of the auxiliary device raises IRQ 12; always 0. */
  AUX_INTERRUPT: 1 << 1,
  /** What the status says of the self test. */
  SYSTEM: 1 << 2,
  /** The keyboard's lock is ignored. */
  IGNORE_LOCK: 1 << 3,
  /** The keyboard is not listened to. */
  KEYBOARD_DISABLED: 1 << 4,
  /** The auxiliary device is not listened to; always 1. */
  AUX_DISABLED: 1 << 5,
  /** Scan codes of set 2 become those of set 1. */
  TRANSLATE: 1 << 6,
} as const;

/** The output port's lines. */
export const I8042_OUTPUT = {
  /** At 0, the processor is held in reset. */
  NO_RESET: 1 << 0,
  /** Address line 20 is let through. */
  A20: 1 << 1,
  /** There is a byte to read. */
  FULL: 1 << 4,
  /** The keyboard's clock and data. */
  LINES: 0b1100_0000,
} as const;

/** Commands at offset 4, and what they answer. */
export const I8042_COMMAND = {
  /** The first of 32 that read a byte of memory. */
  READ_RAM: 0x20,
  /** The first of 32 that write one: the byte follows. */
  WRITE_RAM: 0x60,
  /** Whether there is a password. */
  TEST_PASSWORD: 0xa4,
  /** Answer: none. */
  NO_PASSWORD: 0xf1,
  /** No effect: there is no auxiliary device. */
  DISABLE_AUX: 0xa7,
  /** No effect either. */
  ENABLE_AUX: 0xa8,
  /** Tests the auxiliary device's lines. */
  TEST_AUX: 0xa9,
  /** Answer: the clock does not move. */
  CLOCK_STUCK_LOW: 0x01,
  /** The controller tests itself. */
  SELF_TEST: 0xaa,
  /** Answer: all is well. */
  SELF_TEST_PASSED: 0x55,
  /** Tests the keyboard's lines; 0 if they work. */
  TEST_KEYBOARD: 0xab,
  /** Stops listening to the keyboard. */
  DISABLE_KEYBOARD: 0xad,
  /** Listens again. */
  ENABLE_KEYBOARD: 0xae,
  /** Reads the input port. */
  READ_INPUT_PORT: 0xc0,
  /** Its only line that is up: the keyboard is not locked. */
  INPUT_UNLOCKED: 1 << 7,
  /** Reads the output port. */
  READ_OUTPUT_PORT: 0xd0,
  /** Writes the output port: the byte follows. */
  WRITE_OUTPUT_PORT: 0xd1,
  /** Puts a byte that follows where the keyboard's are read. */
  WRITE_OUTPUT_BUFFER: 0xd2,
  /** The same for the auxiliary device. */
  WRITE_AUX_BUFFER: 0xd3,
  /** Sends a byte that follows to the auxiliary device. */
  WRITE_AUX: 0xd4,
  /** Holds address line 20 at zero. */
  DISABLE_A20: 0xdd,
  /** Lets address line 20 through. */
  ENABLE_A20: 0xdf,
  /** Reads the lines of the keyboard. */
  READ_TEST_INPUTS: 0xe0,
  /** Its clock. */
  TEST_CLOCK: 1 << 0,
  /** Its data. */
  TEST_DATA: 1 << 1,
  /** The first of 16 that pulse lines of the output port: those whose bit is 0. */
  PULSE: 0xf0,
  /** Of these, the one that resets the processor. */
  RESET: 0xfe,
} as const;
