/**
 * The vectors of exceptions (SDM volume 3, "Exception and Interrupt Reference"; APM volume 2,
 * 8.2 "Vectors").
 *
 * @module
 */

import { checkInteger, U32_MAX } from "../../../ffi/mod.ts";
import { Vector } from "../../../ffi/uapi/mod.ts";

export { Vector };

/** The vector of a non-maskable interrupt, which is no exception and has no mnemonic. */
export const NMI_VECTOR = 2;

/** How many vectors are kept for exceptions; from here on they are interrupts. */
export const EXCEPTION_VECTORS = 32;

/** How many vectors an IDT can have. */
export const VECTORS = 256;

const names: Readonly<Record<number, string>> = {
  ...Object.fromEntries(Object.entries(Vector).map(([name, vector]) => [vector, `#${name}`])),
  [NMI_VECTOR]: "NMI",
};

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
  checkInteger("name a vector", "A vector", vector, 0, U32_MAX);
  return names[vector] ?? `vector ${vector}`;
}

/** Whether the processor pushes an error code for an exception. */
export function hasErrorCode(vector: number): boolean {
  return withErrorCode.has(vector);
}

/** The bits of #PF's error code (SDM volume 3, "Page-Fault Exceptions"). */
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
