/**
 * The machine's I/O ports and interrupt lines. The kernel has the PICs (0x20 the master, 0xa0 the
 * slave, 0x4d0 their ELCR), the PIT (0x40) and the speaker's gate (0x61).
 *
 * ```
 * 0x060 0x064  I8042     keyboard controller        0x3f8  COM1, IRQ 4     0x3e8  COM3, IRQ 4
 * 0x070 0x071  RTC       clock, CMOS memory         0x2f8  COM2, IRQ 3     0x2e8  COM4, IRQ 3
 * 0x080        POST      progress of a firmware     0x510  FW_CFG          selector, data, DMA
 * 0x092        SYSTEM_A  gate A20, fast reset       0x600  PM1A_EVENT      4 bytes
 * 0x0e9 0x402  DEBUGCON  a byte, and nothing else   0x604  PM1A_CONTROL    2 bytes
 * 0x0f4        DEBUG_EXIT                           0x608  PM_TIMER        4 bytes
 * 0xcf9        RESET_CONTROL                        0xcf8  PCI_ADDRESS     4 bytes, without PCI
 * ```
 *
 * @module
 */

/** The first I/O port of each device. */
export const Port = {
  /** The kernel's first PIC. */
  PIC_MASTER: 0x20,
  /** Its second one, at the first one's line 2. */
  PIC_SLAVE: 0xa0,
  /** Which of the PICs' lines are level-triggered, a byte for each PIC. */
  ELCR: 0x4d0,
  /** The kernel's timer. */
  PIT: 0x40,
  /** The speaker, and the gate of the timer's channel 2: the kernel's, too. */
  SPEAKER: 0x61,
  /** The keyboard controller's data; its commands and status are 4 ports on. */
  I8042: 0x60,
  /** The clock's and CMOS memory's index; the data is the next port. */
  RTC: 0x70,
  /** Codes of how far a firmware is. */
  POST: 0x80,
  /** System control port A: gate A20 and a quick reset. */
  SYSTEM_A: 0x92,
  /** Where a firmware's interrupt handlers ask for what they can't do themselves. */
  SMI_COMMAND: 0xb2,
  /** The debug console, as Bochs has it. */
  DEBUGCON: 0xe9,
  /** The debug console, as firmwares have it. */
  FIRMWARE_DEBUGCON: 0x402,
  /** Ends the machine with a status. */
  DEBUG_EXIT: 0xf4,
  /** The first serial port. */
  COM1: 0x3f8,
  /** The second one. */
  COM2: 0x2f8,
  /** The third one. */
  COM3: 0x3e8,
  /** The fourth one. */
  COM4: 0x2e8,
  /** fw_cfg: selector, data from the next port, DMA's address 4 ports on. */
  FW_CFG: 0x510,
  /** ACPI's PM1a event block: status and enable, 4 bytes. */
  PM1A_EVENT: 0x600,
  /** ACPI's PM1a control block: 2 bytes. */
  PM1A_CONTROL: 0x604,
  /** ACPI's PM timer: 4 bytes. */
  PM_TIMER: 0x608,
  /** PCI's configuration address: a doubleword, which the next register lies in. */
  PCI_ADDRESS: 0xcf8,
  /** Resets the machine. */
  RESET_CONTROL: 0xcf9,
} as const;

/** How many ports some of them have. */
export const PORT_COUNT = {
  /** Of a PIC. */
  PIC: 2,
  /** A byte for each PIC. */
  ELCR: 2,
  /** Three channels and a control. */
  PIT: 4,
  /** One. */
  SPEAKER: 1,
  /** fw_cfg's, with DMA. */
  FW_CFG: 12,
} as const;

/** Interrupt lines as ISA numbers them; all but the PIT's come to the I/O APIC's pin of that number. */
export const Irq = {
  /** The PIT, at the I/O APIC's pin 2. */
  PIT: 0,
  /** The keyboard. */
  KEYBOARD: 1,
  /** COM2 and COM4. */
  COM2: 3,
  /** COM1 and COM3. */
  COM1: 4,
  /** The clock. */
  RTC: 8,
  /** ACPI's system control interrupt, level-triggered. */
  SCI: 9,
  /** The mouse. */
  MOUSE: 12,
} as const;

/** How many pins the I/O APIC has. */
export const IO_APIC_PINS = 24;

/** The I/O APIC's pin where the PIT comes in: ISA's interrupt 2 is the PIC's cascade and has none. */
export const PIT_PIN = 2;
