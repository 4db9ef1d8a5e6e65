/**
 * Guest memory beside an ArrayBuffer of the same size with plain typed arrays: filled, copied, read
 * and written.
 *
 * @module
 */

import { Mapping } from "../ffi/mod.ts";
import { GuestMemory, memoryOwner, MemorySlot } from "../src/memory/mod.ts";
import type { Baseline } from "./c.ts";
import { type Aim, type Benchmark, consume } from "./run.ts";

const SIZE = 1 << 20;
const HALF = SIZE / 2;
/** Integers read in a row. */
const COUNT = 1024;

/** A slot is what `vm.addMemory` returns; the guest's memory, of two slots here, is `vm.memory`. */
interface Memories {
  readonly slot: MemorySlot;
  readonly all: GuestMemory;
}

/** What each contender does in a turn, so many times. */
interface Work {
  readonly name: string;
  /** For how many operations one of the `times` counts. */
  readonly operations: number;
  readonly times: number;
  readonly request: string;
  readonly aim: Aim;
  plain(buffer: ArrayBuffer): (times: number) => number;
  kvm(memories: Memories): (times: number) => number;
}

/** Each kind of access. */
export function memory(c: Baseline): Benchmark[] {
  return works().map(({ name, operations, times, request, aim, plain, kvm }) => ({
    name: `memory, ${name}`,
    unit: "ns",
    aim,
    rounds: 2,
    prepare(stack) {
      const buffer = new ArrayBuffer(SIZE);
      new Uint8Array(buffer).fill(1);
      const memories = makeMemories(stack);
      memories.slot.fill(0, SIZE, 1);
      return {
        c: async () => await c.turn(request, times) / operations,
        plain: timed(plain(buffer), times, operations),
        kvm: timed(kvm(memories), times, operations),
      };
    },
  }));
}

function works(): Work[] {
  const like = { of: "ratio", to: "plain", atMost: 1.1 } as const;
  const twice = { of: "ratio", to: "plain", atMost: 2 } as const;
  // An address is looked up and checked, which an index is not: it takes a few comparisons.
  const checked = { of: "difference", to: "plain", atMost: 5 } as const;
  const word = { operations: COUNT, times: 500, aim: checked };
  const block = { operations: 1, aim: like };
  return [
    {
      ...block,
      name: "fill 1 MiB",
      request: "fill",
      times: 100,
      plain: fillPlain(SIZE),
      kvm: fill(SIZE),
    },
    {
      ...block,
      name: "copy 512 KiB within",
      request: "copy",
      times: 100,
      plain: copyPlain(HALF, HALF),
      kvm: copy(HALF, HALF),
    },
    {
      ...block,
      name: "fill 64 bytes",
      request: "fill64",
      times: 20_000,
      plain: fillPlain(64),
      kvm: fill(64),
      aim: twice,
    },
    {
      ...block,
      name: "copy 64 bytes within",
      request: "copy64",
      times: 20_000,
      plain: copyPlain(4096, 64),
      kvm: copy(4096, 64),
      aim: twice,
    },
    {
      ...word,
      name: "u32 of an array() in place",
      request: "array32",
      plain: array32Plain,
      kvm: array32,
      aim: like,
    },
    {
      ...word,
      name: "readU32 of a slot",
      request: "read32",
      plain: read32Plain,
      kvm: ({ slot }) => read32(slot),
    },
    {
      ...word,
      name: "readU32 of vm.memory",
      request: "read32",
      plain: read32Plain,
      kvm: ({ all }) => read32All(all),
    },
    {
      ...word,
      name: "writeU32 of a slot",
      request: "write32",
      plain: write32Plain,
      kvm: ({ slot }) => write32(slot),
    },
    {
      ...word,
      name: "readU64 of a slot",
      request: "read64",
      plain: read64Plain,
      kvm: ({ slot }) => read64(slot),
    },
  ];
}

function makeMemories(stack: DisposableStack): Memories {
  const all = stack.adopt(new GuestMemory(), memoryOwner.close);
  const add = (slot: number, guestPhysAddr: number) => {
    const mapping = Mapping.anonymous(SIZE, `memory slot ${slot}`);
    const memorySlot = new MemorySlot({ slot, guestPhysAddr, mapping, flags: 0 });
    memoryOwner.add(all, memorySlot);
    return memorySlot;
  };
  add(1, 4 * SIZE);
  return { slot: add(0, 0), all };
}

function timed(work: (times: number) => number, times: number, operations: number): () => number {
  return () => {
    const start = performance.now();
    consume(work(times));
    return (performance.now() - start) * 1e6 / times / operations;
  };
}

const fillPlain = (length: number) => (buffer: ArrayBuffer) => {
  const bytes = new Uint8Array(buffer);
  return (times: number) => {
    for (let i = 0; i < times; i++) bytes.fill(i, 0, length);
    return bytes[0]!;
  };
};

const fill = (length: number) => ({ slot }: Memories) => (times: number) => {
  for (let i = 0; i < times; i++) slot.fill(0, length, i);
  return slot.readU8(0);
};

const copyPlain = (to: number, length: number) => (buffer: ArrayBuffer) => {
  const bytes = new Uint8Array(buffer);
  return (times: number) => {
    for (let i = 0; i < times; i++) bytes.copyWithin(to, 0, length);
    return bytes[to]!;
  };
};

const copy = (to: number, length: number) => ({ slot }: Memories) => (times: number) => {
  for (let i = 0; i < times; i++) slot.copy(0, to, length);
  return slot.readU8(to);
};

const array32Plain = (buffer: ArrayBuffer) => {
  const words = new Uint32Array(buffer, 0, COUNT);
  return (times: number) => {
    let sum = 0;
    for (let i = 0; i < times; i++) {
      for (let at = 0; at < words.length; at++) sum ^= words[at]!;
    }
    return sum;
  };
};

const array32 = ({ slot }: Memories) => {
  const words = slot.array(Uint32Array, 0, COUNT);
  return (times: number) => {
    let sum = 0;
    for (let i = 0; i < times; i++) {
      for (let at = 0; at < words.length; at++) sum ^= words[at]!;
    }
    return sum;
  };
};

const read32Plain = (buffer: ArrayBuffer) => {
  const view = new DataView(buffer);
  return (times: number) => {
    let sum = 0;
    for (let i = 0; i < times; i++) {
      for (let at = 0; at < COUNT; at++) sum ^= view.getUint32(at * 4, true);
    }
    return sum;
  };
};

const read32 = (slot: MemorySlot) => (times: number) => {
  let sum = 0;
  for (let i = 0; i < times; i++) {
    for (let at = 0; at < COUNT; at++) sum ^= slot.readU32(at * 4);
  }
  return sum;
};

const read32All = (memory: GuestMemory) => (times: number) => {
  let sum = 0;
  for (let i = 0; i < times; i++) {
    for (let at = 0; at < COUNT; at++) sum ^= memory.readU32(at * 4);
  }
  return sum;
};

const write32Plain = (buffer: ArrayBuffer) => {
  const view = new DataView(buffer);
  return (times: number) => {
    for (let i = 0; i < times; i++) {
      for (let at = 0; at < COUNT; at++) view.setUint32(at * 4, at, true);
    }
    return view.getUint32(0, true);
  };
};

const write32 = (slot: MemorySlot) => (times: number) => {
  for (let i = 0; i < times; i++) {
    for (let at = 0; at < COUNT; at++) slot.writeU32(at * 4, at);
  }
  return slot.readU32(0);
};

const read64Plain = (buffer: ArrayBuffer) => {
  const view = new DataView(buffer);
  return (times: number) => {
    let sum = 0n;
    for (let i = 0; i < times; i++) {
      for (let at = 0; at < COUNT; at++) sum ^= view.getBigUint64(at * 8, true);
    }
    return Number(sum);
  };
};

const read64 = (slot: MemorySlot) => (times: number) => {
  let sum = 0n;
  for (let i = 0; i < times; i++) {
    for (let at = 0; at < COUNT; at++) sum ^= slot.readU64(at * 8);
  }
  return Number(sum);
};
