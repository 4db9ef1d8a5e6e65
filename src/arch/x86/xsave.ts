/**
 * The XSAVE area in its standard format: which register lies where (SDM volume 1, "XSAVE Area",
 * "XSAVE-Managed State").
 *
 * @module
 */

import {
  checkInstance,
  checkObject,
  checkU64,
  Errno,
  isName,
  KvmError,
  listOf,
  show,
} from "../../../ffi/mod.ts";
import { XCR0 } from "./control_registers.ts";

/** A part of the XSAVE area by the name of its bit in XCR0. */
export type XsaveComponent = keyof typeof XCR0;

/** A register in the XSAVE area; which there are depends on the processor. */
export type XsaveRegister =
  | `${"xmm" | "ymm" | "zmm" | "k" | "st"}${number}`
  | "fcw"
  | "fsw"
  | "ftw"
  | "fop"
  | "fip"
  | "fdp"
  | "mxcsr"
  | "pkru";

/** What a `Cpuid` entry says, as far as it matters here. */
export interface CpuidLeaf {
  /** The leaf. */
  readonly function: number;
  /** The subleaf. */
  readonly index: number;
  /** Of leaf 0xD: the component's bytes. */
  readonly eax: number;
  /** Of leaf 0xD: the component's offset. */
  readonly ebx: number;
}

/** The bytes of an XSAVE area in two parts that follow each other: `struct kvm_xsave`. */
export interface XsaveImage {
  /** The first 4096 bytes. */
  readonly region: Uint32Array<ArrayBuffer>;
  /** What is behind them. */
  readonly extra: Uint32Array<ArrayBuffer>;
}

/** Bytes of the area that every processor has: FXSAVE's. Its last 48 are free. */
const LEGACY_BYTES = 512;
const XSTATE_BV = 512;
const HEADER_BYTES = 64;
const XSAVE_LEAF = 0xd;
/** Far more than a processor has. */
const MOST_LEAVES = 4096;
const MXCSR = 24;
const FCW = 0;
/** x87 after FNINIT: 64-bit precision, round to nearest, all exceptions masked. */
const FCW_INITIAL = 0x37f;
/** Where x87 registers end within the legacy area, and the XMM registers begin. */
const ST0 = 32;
const XMM0 = 160;
const XMM_END = 416;

/** A stretch of a register, in one component. */
interface Piece {
  readonly component: XsaveComponent | undefined;
  /** Bytes from the component's start; from the area's for x87 and SSE. */
  readonly offset: number;
  readonly size: number;
}

const x87 = (offset: number, size: number): Piece => ({ component: "X87", offset, size });

const single: Readonly<Record<string, Piece>> = {
  fcw: x87(FCW, 2),
  fsw: x87(2, 2),
  ftw: x87(4, 1),
  fop: x87(6, 2),
  fip: x87(8, 8),
  fdp: x87(16, 8),
  // XRSTOR loads it whether or not XSTATE_BV has the bit of SSE (SDM volume 1, "Standard Form of
  // XRSTOR").
  mxcsr: { component: undefined, offset: MXCSR, size: 4 },
  pkru: { component: "PKRU", offset: 0, size: 4 },
};

/** What follows the letters: how many there are, and the pieces of one, lowest bytes first. */
const numbered: Readonly<Record<string, { count: number; pieces: (index: number) => Piece[] }>> = {
  st: { count: 8, pieces: (index) => [x87(ST0 + 16 * index, 10)] },
  k: { count: 8, pieces: (index) => [{ component: "OPMASK", offset: 8 * index, size: 8 }] },
  xmm: { count: 32, pieces: (index) => vector(index, 16) },
  ymm: { count: 32, pieces: (index) => vector(index, 32) },
  zmm: { count: 32, pieces: (index) => vector(index, 64) },
};

/** A register of the first sixteen is spread over three components, one of the others is whole. */
function vector(index: number, size: number): Piece[] {
  if (index >= 16) return [{ component: "HI16_ZMM", offset: 64 * (index - 16), size }];
  const pieces: Piece[] = [{ component: "SSE", offset: XMM0 + 16 * index, size: 16 }];
  if (size > 16) pieces.push({ component: "AVX", offset: 16 * index, size: 16 });
  if (size > 32) pieces.push({ component: "ZMM_HI256", offset: 32 * index, size: 32 });
  return pieces;
}

/**
 * Reads and writes the registers of an XSAVE area by name, in place.
 *
 * A component whose bit in {@linkcode xstateBv} is clear is in its initial state whatever its bytes
 * say: that is what is read, and writing to a register of it makes the whole component count.
 *
 * @example
 * ```ts
 * import { Kvm, XsaveArea } from "@deno-kvm/kvm";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * using vcpu = vm.createVcpu(0);
 * const xsave = vcpu.getXsave();
 * const area = new XsaveArea(xsave, kvm.getSupportedCpuid().entries);
 * area.write("xmm0", 0x0123_4567_89ab_cdefn);
 * vcpu.setXsave(xsave);
 * console.log(area.read("mxcsr").toString(16)); // "1f80"
 * ```
 */
export class XsaveArea {
  /** The components that this processor has, with their place in the area. */
  readonly components: ReadonlyMap<
    XsaveComponent,
    { readonly offset: number; readonly size: number }
  >;
  /** The whole area. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView<ArrayBuffer>;

  /**
   * For an area in place.
   *
   * @param image What `vcpu.getXsave` returns.
   * @param cpuid The host's leaves, `kvm.getSupportedCpuid().entries`: leaf 0xD says where the
   * components lie. What does not fit into the image is left out.
   * @throws {KvmError} EINVAL for what is no area or no list of leaves.
   */
  constructor(image: XsaveImage, cpuid: Iterable<CpuidLeaf>) {
    const operation = "read an XSAVE area";
    checkObject(operation, "The area", image);
    const { region, extra } = image;
    checkInstance(operation, "region", region, Uint32Array);
    checkInstance(operation, "extra", extra, Uint32Array);
    const leaves = listOf(operation, "The leaves", cpuid, MOST_LEAVES);
    for (const leaf of leaves) checkObject(operation, "A leaf", leaf);
    const length = region.byteLength + extra.byteLength;
    this.bytes = new Uint8Array(region.buffer, region.byteOffset, length);
    this.#view = new DataView(region.buffer, region.byteOffset, length);
    this.components = componentsOf(leaves, length);
  }

  /** XSTATE_BV: the components that are not in their initial state, as bits of `XCR0`. */
  get xstateBv(): bigint {
    return this.#view.getBigUint64(XSTATE_BV, true);
  }

  set xstateBv(value: bigint) {
    checkU64("set XSTATE_BV", "The components", value);
    this.#view.setBigUint64(XSTATE_BV, value, true);
  }

  /**
   * The bytes of a component, in place. x87 and SSE share the legacy area, 512 bytes.
   *
   * @throws {KvmError} ENOENT if the processor lacks it.
   */
  component(name: XsaveComponent): Uint8Array<ArrayBuffer> {
    const { offset, size } = this.#place(name, `find the ${show(name)} state`);
    return this.bytes.subarray(offset, offset + size);
  }

  /**
   * A register as an unsigned bigint: 128 bits of `"xmm0"`, 256 of `"ymm0"`, 512 of `"zmm0"`, 80 of
   * `"st0"`, 64 of `"k0"`; `"ftw"` is FXSAVE's: a bit for each x87 register in use.
   *
   * @throws {KvmError} EINVAL if there is no register of that name, ENOENT if the processor lacks it.
   */
  read(register: XsaveRegister): bigint {
    const operation = `read ${show(register)}`;
    let value = 0n;
    let shift = 0n;
    for (const { component, offset, size } of piecesOf(operation, register)) {
      const at = this.#at(component, offset, operation);
      if (component === undefined || this.#counts(component)) {
        for (let byte = size - 1, part = 0n; byte >= 0; byte--) {
          part = part << 8n | BigInt(this.bytes[at + byte]!);
          if (byte === 0) value |= part << shift;
        }
      } else if (register === "fcw") value = BigInt(FCW_INITIAL);
      shift += BigInt(8 * size);
    }
    return value;
  }

  /**
   * Sets a register; bits beyond its size are dropped.
   *
   * @throws {KvmError} EINVAL if there is no register of that name, ENOENT if the processor lacks it.
   */
  write(register: XsaveRegister, value: bigint): void {
    const operation = `write ${show(register)}`;
    const places = piecesOf(operation, register).map((piece) => ({
      ...piece,
      at: this.#at(piece.component, piece.offset, operation),
    }));
    if (typeof value !== "bigint") {
      const hint = `A register's value is a bigint, not ${show(value)}`;
      throw new KvmError({ operation, errno: Errno.EINVAL, hint });
    }
    let rest = BigInt.asUintN(512, value);
    for (const { component, size, at } of places) {
      if (component !== undefined && !this.#counts(component)) this.#begin(component);
      for (let byte = 0; byte < size; byte++, rest >>= 8n) {
        this.bytes[at + byte] = Number(rest & 0xffn);
      }
    }
  }

  #counts(component: XsaveComponent): boolean {
    return (this.xstateBv & XCR0[component]) !== 0n;
  }

  /** Makes a component count, with its initial values. */
  #begin(component: XsaveComponent): void {
    this.xstateBv |= XCR0[component];
    if (component === "X87") {
      this.bytes.fill(0, 0, MXCSR).fill(0, ST0, XMM0);
      this.#view.setUint16(FCW, FCW_INITIAL, true);
    } else if (component === "SSE") this.bytes.fill(0, XMM0, XMM_END);
    else this.component(component).fill(0);
  }

  #at(component: XsaveComponent | undefined, offset: number, operation: string): number {
    return component === undefined ? offset : this.#place(component, operation).offset + offset;
  }

  #place(component: XsaveComponent, operation: string): { offset: number; size: number } {
    const place = this.components.get(component);
    if (place !== undefined) return place;
    const there = [...this.components.keys()].join(", ");
    const hint = `The processor has no ${show(component)} state, but ${there}`;
    throw new KvmError({ operation, errno: Errno.ENOENT, hint });
  }
}

function componentsOf(cpuid: Iterable<CpuidLeaf>, length: number): XsaveArea["components"] {
  const legacy = { offset: 0, size: LEGACY_BYTES };
  const components = new Map<XsaveComponent, { offset: number; size: number }>([
    ["X87", legacy],
    ["SSE", legacy],
  ]);
  const names = Object.entries(XCR0) as [XsaveComponent, bigint][];
  for (const { function: leaf, index, eax: size, ebx: offset } of cpuid) {
    const name = names.find(([, bit]) => bit === 1n << BigInt(index))?.[0];
    if (leaf !== XSAVE_LEAF || index < 2 || name === undefined) continue;
    // Supervisor state has offset 0: it has no place in the standard format.
    const fits = offset >= LEGACY_BYTES + HEADER_BYTES && offset + size <= length;
    if (fits && size > 0) components.set(name, { offset, size });
  }
  return components;
}

function piecesOf(operation: string, register: string): Piece[] {
  if (isName(single, register)) return [single[register]!];
  const name = typeof register === "string" ? register : "";
  const [, letters = "", digits = ""] = name.match(/^([a-z]+)(0|[1-9]\d?)$/) ?? [];
  const kind = isName(numbered, letters) ? numbered[letters] : undefined;
  const index = Number(digits);
  if (kind !== undefined && index < kind.count) return kind.pieces(index);
  const hint = `The registers are ${Object.keys(single).join(", ")}, ${
    Object.entries(numbered).map(([name, { count }]) => `${name}0 to ${name}${count - 1}`).join(
      ", ",
    )
  }`;
  throw new KvmError({ operation, errno: Errno.EINVAL, hint });
}
