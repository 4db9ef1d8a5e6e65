/**
 * Guests that really run: loops of exits, and a machine's whole life.
 *
 * @module
 */

import { Kvm, type Vcpu } from "../src/kvm/mod.ts";
import type { Baseline } from "./c.ts";
import { handle } from "./handler.ts";
import { code, createMachine } from "./vm.ts";
import { type Benchmark, timed } from "./run.ts";

// A turn shorter than the scheduler's slice is seldom interrupted, and the median leaves out those
// that are.
const EXITS = 200;
const LIVES = 10;

/** Port I/O, MMIO, and from creating a VM to closing it. */
export function guests(c: Baseline): Benchmark[] {
  const loop = (name: string, guest: Uint8Array<ArrayBuffer>): Benchmark => ({
    name,
    unit: "ns",
    aim: { of: "ratio", to: "c", atMost: 1.02 },
    rounds: 8,
    prepare(stack) {
      const kvm = stack.use(Kvm.open());
      const vcpu = createMachine(kvm, guest, stack);
      return { c: () => c.turn("exits", EXITS, guest), kvm: timed(exitLoop(vcpu), EXITS) };
    },
  });
  return [
    loop("guest, OUT after OUT", code.out),
    loop("guest, IN after IN", code.in),
    loop("guest, MMIO write after write", code.mmioWrite),
    loop("guest, MMIO read after read", code.mmioRead),
    {
      name: "guest, create VM, run to HLT, close",
      unit: "us",
      aim: { of: "ratio", to: "c", atMost: 1.3 },
      rounds: 2,
      prepare(stack) {
        const kvm = stack.use(Kvm.open());
        const turn = timed(lives(kvm), LIVES);
        return {
          c: async () => await c.turn("life", LIVES, code.hlt) / 1e3,
          kvm: () => turn() / 1e3,
        };
      },
    },
  ];
}

/** Runs a vCPU for so many exits. */
export function exitLoop(vcpu: Vcpu): (times: number) => number {
  return (times) => {
    let sum = 0;
    for (let i = 0; i < times; i++) sum ^= handle(vcpu.run());
    return sum;
  };
}

const lives = (kvm: Kvm) => (times: number) => {
  for (let i = 0; i < times; i++) {
    using stack = new DisposableStack();
    const { reason } = createMachine(kvm, code.hlt, stack).run();
    if (reason !== "hlt") throw new Error(`no HLT but ${reason}`);
  }
  return times;
};
