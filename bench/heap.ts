/**
 * Bytes of heap that an exit allocates: none, or the garbage collector stops the guest.
 *
 * @module
 */

import { Kvm } from "../src/kvm/mod.ts";
import { decodeIn, decodeMmioRead, decodeMmioWrite, decodeOut } from "./exits.ts";
import { exitLoop } from "./guests.ts";
import { code, createMachine } from "./vm.ts";
import { type Benchmark, consume } from "./run.ts";

/** A number that V8 keeps on the heap takes 12 bytes for each exit; nothing that counts is less. */
const aim = { of: "value", atMost: 1 } as const;
const PIECES = 50;

/** Of decoding recorded pages, by kind of exit, and of real exits. */
export function heap(): Benchmark[] {
  const decode = (name: string, make: () => (times: number) => number): Benchmark => ({
    name: `heap, ${name}`,
    unit: "bytes",
    aim,
    rounds: 0.3,
    prepare: () => ({ plain: control(10_000), kvm: meter(make(), 10_000) }),
  });
  return [
    decode("OUT decoded and handled", decodeOut),
    decode("IN decoded and answered", decodeIn),
    decode("MMIO write decoded and handled", decodeMmioWrite),
    decode("MMIO read decoded and answered", decodeMmioRead),
    {
      name: "heap, vcpu.run(), OUT after OUT",
      unit: "bytes",
      aim,
      rounds: 0.3,
      prepare(stack) {
        const kvm = stack.use(Kvm.open());
        const vcpu = createMachine(kvm, code.out, stack);
        return { plain: control(200), kvm: meter(exitLoop(vcpu), 200) };
      },
    },
  ];
}

/**
 * Bytes for each time. The heap is looked at piece by piece: it grows by what was allocated, except
 * in a piece where it is collected, which the median leaves out.
 */
function meter(work: (times: number) => number, times: number): () => number {
  const growth = (count: number) => {
    const before = Deno.memoryUsage().heapUsed;
    consume(work(count));
    return Deno.memoryUsage().heapUsed - before;
  };
  return () => {
    const pieces = Array.from({ length: PIECES }, () => (growth(times) - growth(1)) / times);
    return Math.max(0, pieces.toSorted((a, b) => a - b)[PIECES / 2]!);
  };
}

/** What one small object costs: shows that the meter sees it. */
function control(times: number): () => number {
  const measure = meter(allocateOne, times);
  return () => {
    const bytes = measure();
    if (bytes < 8) throw new Error(`an object seems to take ${bytes} bytes: the meter is broken`);
    return bytes;
  };
}

/** Something to keep, so that the allocation can't be left out. */
let kept: { readonly at: number } = { at: 0 };

function allocateOne(times: number): number {
  for (let at = 0; at < times; at++) kept = { at };
  return kept.at;
}
