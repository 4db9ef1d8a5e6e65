/**
 * Random numbers from a seed, and images changed by them.
 *
 * @module
 */

/** Numbers at which sizes and addresses overflow, or something else begins. */
const INTERESTING: readonly bigint[] = [
  0n,
  1n,
  2n,
  4n,
  7n,
  0x7fn,
  0xffn,
  0x200n,
  0x500n,
  0x7000n,
  0x7fffn,
  0xffffn,
  0x9_fc00n,
  0xe_0000n,
  0x10_0000n,
  0x20_0000n,
  0x5f_ffffn,
  0x60_0000n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_f000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  (1n << 52n) - 1n,
  1n << 53n,
  (1n << 63n) - 1n,
  1n << 63n,
  (1n << 64n) - 4096n,
  (1n << 64n) - 1n,
];

/** Random numbers, always the same for a seed ("mulberry32"). */
export class Random {
  #state: number;

  constructor(seed: number) {
    // Neighbouring seeds begin far apart.
    this.#state = Math.imul(seed, 0x9e37_79b1) >>> 0;
  }

  /** 0 to 1, without 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b_79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ t >>> 15, t | 1);
    t ^= t + Math.imul(t ^ t >>> 7, t | 61);
    return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0, below a limit. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** A whole number from 0, below a limit: small ones as often as large ones. */
  size(limit: number): number {
    return Math.floor(limit ** this.next()) - (this.chance(0.5) ? 1 : 0);
  }

  /** True so often. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of these. */
  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  /** A number from 0 that JavaScript can say exactly. */
  number(): number {
    const value = this.chance(0.5) ? this.pick(INTERESTING) : BigInt(this.size(2 ** 40));
    return Number(BigInt.asUintN(53, value));
  }

  /** A number of 64 bits: most often one where something begins or ends. */
  word(): bigint {
    const offset = BigInt(this.below(17) - 8);
    return this.chance(0.7)
      ? this.pick(INTERESTING) + (this.chance(0.5) ? offset : 0n)
      : BigInt(this.below(2 ** 32)) << BigInt(this.below(33));
  }

  /** Random bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}

/** Where all of the headers are. */
const HEADERS = 0x300;

/** A changed copy: some fields of its headers, most often, or its length. */
export function mutate(random: Random, image: Uint8Array): Uint8Array<ArrayBuffer> {
  let copy = new Uint8Array(image);
  for (let changes = 1 + random.size(8); changes > 0; changes--) {
    switch (random.below(8)) {
      case 0:
        copy = copy.slice(0, random.below(copy.length + 1));
        break;
      case 1: {
        const longer = new Uint8Array(copy.length + random.size(65_536));
        longer.set(copy);
        copy = longer;
        break;
      }
      case 2:
        copy.copyWithin(random.below(copy.length), random.below(copy.length), copy.length);
        break;
      default:
        change(random, copy);
    }
  }
  return copy;
}

function change(random: Random, image: Uint8Array<ArrayBuffer>): void {
  const size = random.pick([1, 2, 4, 8]);
  const reach = Math.min(image.length, random.chance(0.95) ? HEADERS : image.length);
  const at = Math.floor(random.below(Math.max(1, reach)) / size) * size +
    (random.chance(0.2) ? 1 : 0);
  if (at + size > image.length) return;
  const view = new DataView(image.buffer);
  const word = random.word();
  if (size === 8) view.setBigUint64(at, word, true);
  else if (size === 4) view.setUint32(at, Number(BigInt.asUintN(32, word)), true);
  else if (size === 2) view.setUint16(at, Number(BigInt.asUintN(16, word)), true);
  else if (random.chance(0.5)) image[at]! ^= 1 << random.below(8);
  else image[at] = random.below(256);
}
