/**
 * Who a processor says it is: vendor, family, brand.
 *
 * @module
 */

import { Errno, KvmError, show } from "../../../../ffi/mod.ts";

/** A processor's model, in CPUID leaf 1's EAX (SDM volume 2, "CPUID"). */
export interface CpuSignature {
  /** 6 for most of Intel's, 0x17 and above for AMD's Zen. */
  readonly family: number;
  /** The model within the family: 0 to 255. */
  readonly model: number;
  /** The revision of the model: 0 to 15. */
  readonly stepping: number;
}

/** Family, model and stepping from leaf 1's EAX. */
export function decodeSignature(eax: number): CpuSignature {
  const base = (eax >>> 8) & 15;
  const family = base === 15 ? base + ((eax >>> 20) & 255) : base;
  const high = base === 6 || base === 15 ? (eax >>> 16) & 15 : 0;
  return { family, model: high << 4 | (eax >>> 4) & 15, stepping: eax & 15 };
}

/**
 * Leaf 1's EAX for a family, model and stepping.
 *
 * @throws {KvmError} EINVAL for what does not fit.
 */
export function encodeSignature(signature: CpuSignature): number {
  const { family, model, stepping } = signature ?? {};
  const wide = family === 6 || family >= 15;
  const fits = inRange(family, 15 + 255) && inRange(model, wide ? 255 : 15) &&
    inRange(stepping, 15);
  if (!fits) {
    throw new KvmError({
      operation: `encode family ${show(family)}, model ${show(model)}, stepping ${show(stepping)}`,
      errno: Errno.EINVAL,
      hint: "A family is at most 270, a model 255 (15 unless the family is 6, 15 or above), a " +
        "stepping 15",
    });
  }
  const base = Math.min(family, 15);
  return ((family - base) << 20 | (model >> 4) << 16 | base << 8 | (model & 15) << 4 | stepping) >>>
    0;
}

function inRange(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= most;
}

/** Text from registers, four bytes each, without the zeroes and blanks around it. */
export function decodeText(words: readonly number[]): string {
  const bytes = new Uint8Array(Uint32Array.from(words).buffer);
  return new TextDecoder("latin1").decode(bytes).replace(/\0[^]*$/, "").trim();
}

/**
 * Registers that hold text, filled up with zeroes.
 *
 * @throws {KvmError} EINVAL for text that is too long or not of printable ASCII characters.
 */
export function encodeText(what: string, text: string, words: number, most = 4 * words): number[] {
  if (typeof text !== "string" || text.length > most || !/^[ -~]*$/.test(text)) {
    throw new KvmError({
      operation: `set the ${what} ${show(text)}`,
      errno: Errno.EINVAL,
      hint: `It has at most ${most} characters, all printable ASCII`,
    });
  }
  const bytes = new Uint8Array(4 * words);
  new TextEncoder().encodeInto(text, bytes);
  return [...new Uint32Array(bytes.buffer)];
}

/** Whether a vendor's processors answer CPUID as AMD's do. */
export function isAmdLike(vendor: string): boolean {
  return vendor === "AuthenticAMD" || vendor === "HygonGenuine";
}
