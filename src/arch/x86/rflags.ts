/**
 * The bits of RFLAGS (SDM volume 1, "EFLAGS Register").
 *
 * @module
 */

/** RFLAGS. */
export const RFLAGS = {
  /** Carry. */
  CF: 1n << 0n,
  /** Always set; a vCPU with the bit clear does not enter the guest. */
  FIXED: 1n << 1n,
  /** Parity of the low byte. */
  PF: 1n << 2n,
  /** Carry out of bit 3. */
  AF: 1n << 4n,
  /** Zero. */
  ZF: 1n << 6n,
  /** Sign. */
  SF: 1n << 7n,
  /** Trap: #DB after each instruction. */
  TF: 1n << 8n,
  /** Maskable interrupts are taken. */
  IF: 1n << 9n,
  /** Direction: string instructions go downwards. */
  DF: 1n << 10n,
  /** Overflow. */
  OF: 1n << 11n,
  /** I/O privilege level, both bits: level 3 may use ports and change IF. */
  IOPL: 3n << 12n,
  /** Nested task: IRET would switch tasks. */
  NT: 1n << 14n,
  /** Resume: the next instruction raises no #DB by a breakpoint. */
  RF: 1n << 16n,
  /** Virtual-8086 mode; not in long mode. */
  VM: 1n << 17n,
  /** Alignment check, and access control with SMAP. */
  AC: 1n << 18n,
  /** Virtual interrupt flag. */
  VIF: 1n << 19n,
  /** Virtual interrupt pending. */
  VIP: 1n << 20n,
  /** A program that can change it has CPUID. */
  ID: 1n << 21n,
} as const;
