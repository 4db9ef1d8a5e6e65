/**
 * What this library adds to each exit, on recorded run pages: the kernel's part, many times longer,
 * would hide it. An exit is decoded, told apart, read and answered.
 *
 * @module
 */

import { Fd } from "../ffi/mod.ts";
import { KVM } from "../src/kvm/ioctls.ts";
import type { Baseline } from "./c.ts";
import { handle } from "./handler.ts";
import { RecordedPage } from "./page.ts";
import { type Benchmark, timed } from "./run.ts";

const TIMES = 50_000;
const TIMES_OF_CALLS = 5_000;
const API_VERSION = { request: KVM.KVM_GET_API_VERSION.request };

/** By kind of exit, and one with the cheapest ioctl before it, as run() has KVM_RUN. */
export function exits(c: Baseline): Benchmark[] {
  const aim = { of: "value", atMost: 60 } as const;
  const benchmark = (name: string, request: string, kvm: (times: number) => number): Benchmark => ({
    name,
    unit: "ns",
    aim,
    prepare: () => ({ c: () => c.turn(request, TIMES), kvm: timed(kvm, TIMES) }),
  });
  return [
    benchmark("exit, OUT decoded and handled", "out", decodeOut()),
    benchmark("exit, IN decoded and answered", "in", decodeIn()),
    benchmark("exit, MMIO write decoded and handled", "mmio-write", decodeMmioWrite()),
    benchmark("exit, MMIO read decoded and answered", "mmio-read", decodeMmioRead()),
    {
      name: "exit, ioctl and OUT, beyond C's",
      unit: "ns",
      aim: { of: "difference", to: "c", atMost: 60 },
      rounds: 4,
      prepare(stack) {
        const fd = stack.use(Fd.open("/dev/kvm", "Kvm"));
        return {
          c: () => c.turn("call+out", TIMES_OF_CALLS),
          kvm: timed(callAndDecode(fd), TIMES_OF_CALLS),
        };
      },
    },
  ];
}

/** The guest writes to a port. */
export function decodeOut(): (times: number) => number {
  const page = new RecordedPage();
  return (times) => {
    let sum = 0;
    page.startIo();
    for (let i = 0; i < times; i++) {
      page.io(1, i & 0xffff);
      sum ^= handle(page.decoder.decode());
    }
    return sum;
  };
}

/** The guest reads from a port. */
export function decodeIn(): (times: number) => number {
  const page = new RecordedPage();
  return (times) => {
    let sum = 0;
    page.startIo();
    for (let i = 0; i < times; i++) {
      page.io(0, i & 0xffff);
      sum ^= handle(page.decoder.decode());
    }
    return sum;
  };
}

/** The guest writes where it has no memory. */
export function decodeMmioWrite(): (times: number) => number {
  const page = new RecordedPage();
  return (times) => {
    let sum = 0;
    page.startMmio(1);
    for (let i = 0; i < times; i++) {
      page.mmio(0xd000_0000 + (i & 0xf_ffff));
      sum ^= handle(page.decoder.decode());
    }
    return sum;
  };
}

/** The guest reads where it has no memory. */
export function decodeMmioRead(): (times: number) => number {
  const page = new RecordedPage();
  return (times) => {
    let sum = 0;
    page.startMmio(0);
    for (let i = 0; i < times; i++) {
      page.mmio(0xd000_0000 + (i & 0xf_ffff));
      sum ^= handle(page.decoder.decode());
    }
    return sum;
  };
}

function callAndDecode(fd: Fd): (times: number) => number {
  const page = new RecordedPage();
  return (times) => {
    let sum = 0;
    page.startIo();
    for (let i = 0; i < times; i++) {
      if (fd.invoke(API_VERSION) < 0) throw new Error("KVM_GET_API_VERSION failed");
      page.io(1, i & 0xffff);
      sum ^= handle(page.decoder.decode());
    }
    return sum;
  };
}
