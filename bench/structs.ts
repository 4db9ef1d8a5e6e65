/**
 * Structs in place, as data tables declare them, beside a DataView with the offsets written out.
 *
 * @module
 */

import { create, type StructOf, view } from "../ffi/mod.ts";
import { kvmRegs } from "../ffi/uapi/mod.ts";
import type { Baseline } from "./c.ts";
import { type Benchmark, timed } from "./run.ts";

/** A descriptor of a split virtqueue (virtio 1.3, 2.7.5). */
const descriptor = { addr: "gpa", len: "u32", flags: "u16", next: "u16" } as const;
const DESCRIPTORS = 256;
const SIZE = 16;

/** A ring of descriptors, all fields of all; and a register. */
export function structs(c: Baseline): Benchmark[] {
  const aim = { of: "ratio", to: "plain", atMost: 2 } as const;
  return [
    {
      name: "struct, a descriptor's four fields",
      unit: "ns",
      aim,
      prepare() {
        const plain = timed(readDataView(new DataView(filled())), 500);
        const kvm = timed(readStructs(ringOf(filled())), 500);
        return {
          c: async () => await c.turn("struct", 500) / DESCRIPTORS,
          plain: () => plain() / DESCRIPTORS,
          kvm: () => kvm() / DESCRIPTORS,
        };
      },
    },
    {
      name: "struct, RIP read and written",
      unit: "ns",
      aim,
      prepare() {
        const regs = create(kvmRegs);
        return {
          plain: timed(stepDataView(new DataView(new ArrayBuffer(144))), 100_000),
          kvm: timed(stepStruct(regs), 100_000),
        };
      },
    },
  ];
}

const filled = () => {
  const words = new Uint32Array(DESCRIPTORS * SIZE / 4);
  for (let at = 0; at < words.length; at += 4) words.set([at * 4096, 0, 4096, 0x0001_0002], at);
  return words.buffer;
};

const ringOf = (buffer: ArrayBuffer) =>
  Array.from({ length: DESCRIPTORS }, (_, index) => view(descriptor, buffer, index * SIZE));

const readDataView = (view: DataView) => (times: number) => {
  let sum = 0;
  for (let i = 0; i < times; i++) {
    for (let at = 0; at < view.byteLength; at += SIZE) {
      sum += view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32 +
        view.getUint32(at + 8, true) + view.getUint16(at + 12, true) +
        view.getUint16(at + 14, true);
    }
  }
  return sum;
};

const readStructs = (ring: readonly StructOf<typeof descriptor>[]) => (times: number) => {
  let sum = 0;
  for (let i = 0; i < times; i++) {
    for (const { addr, len, flags, next } of ring) sum += addr + len + flags + next;
  }
  return sum;
};

const RIP = 128;

const stepDataView = (view: DataView) => (times: number) => {
  for (let i = 0; i < times; i++) {
    view.setBigUint64(RIP, BigInt.asUintN(64, view.getBigUint64(RIP, true) + 1n), true);
  }
  return Number(view.getBigUint64(RIP, true));
};

const stepStruct = (regs: StructOf<typeof kvmRegs>) => (times: number) => {
  for (let i = 0; i < times; i++) regs.rip = BigInt.asUintN(64, regs.rip + 1n);
  return Number(regs.rip);
};
