/**
 * The vectors of exceptions (SDM volume 3, 6.15 "Exception and Interrupt Reference"; APM volume 2,
 * 8.2 "Vectors").
 *
 * @module
 */

/** Exception vectors by their mnemonic without the `#`. */
export const Vector = {
  /** Divide error. */
  DE: 0,
  /** Debug. */
  DB: 1,
  /** Non-maskable interrupt; no exception, and without a mnemonic of its own. */
  NMI: 2,
  /** Breakpoint: INT3. */
  BP: 3,
  /** Overflow: INTO. */
  OF: 4,
  /** Bound range exceeded. */
  BR: 5,
  /** Invalid opcode. */
  UD: 6,
  /** Device not available: the FPU. */
  NM: 7,
  /** Double fault: a fault in delivering a fault. */
  DF: 8,
  /** Invalid TSS. */
  TS: 10,
  /** Segment not present. */
  NP: 11,
  /** Stack segment fault. */
  SS: 12,
  /** General protection. */
  GP: 13,
  /** Page fault; CR2 holds the address. */
  PF: 14,
  /** x87 floating-point error. */
  MF: 16,
  /** Alignment check. */
  AC: 17,
  /** Machine check. */
  MC: 18,
  /** SIMD floating-point error. */
  XM: 19,
  /** EPT violation. */
  VE: 20,
  /** Control protection. */
  CP: 21,
  /** AMD: hypervisor injection. */
  HV: 28,
  /** AMD: VMM communication. */
  VC: 29,
  /** AMD: security. */
  SX: 30,
} as const;

/** How many vectors are kept for exceptions; from here on they are interrupts. */
export const EXCEPTION_VECTORS = 32;

/** How many vectors an IDT can have. */
export const VECTORS = 256;

const names: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(Vector).map(([name, vector]) => [vector, name === "NMI" ? name : `#${name}`]),
);

const withErrorCode: ReadonlySet<number> = new Set([
  Vector.DF,
  Vector.TS,
  Vector.NP,
  Vector.SS,
  Vector.GP,
  Vector.PF,
  Vector.AC,
  Vector.CP,
  Vector.VC,
  Vector.SX,
]);

/** A vector's name: `vectorName(14)` is `"#PF"`; one without a name is `"vector 32"`. */
export function vectorName(vector: number): string {
  return names[vector] ?? `vector ${vector}`;
}

/** Whether the processor pushes an error code for an exception. */
export function hasErrorCode(vector: number): boolean {
  return withErrorCode.has(vector);
}

/** The bits of #PF's error code (SDM volume 3, 4.7 "Page-Fault Exceptions"). */
export const PageFault = {
  /** The page is present: a right was missing, or a reserved bit set. */
  P: 1 << 0,
  /** A write. */
  W: 1 << 1,
  /** At level 3. */
  U: 1 << 2,
  /** A reserved bit is set in an entry. */
  RSVD: 1 << 3,
  /** An instruction fetch. */
  I: 1 << 4,
  /** A protection key forbids it. */
  PK: 1 << 5,
  /** A shadow-stack access. */
  SS: 1 << 6,
} as const;
