/**
 * The cheapest ioctl, KVM_GET_API_VERSION: what a call into the kernel costs from here.
 *
 * @module
 */

import { Fd } from "../ffi/mod.ts";
import { KVM } from "../src/kvm/ioctls.ts";
import type { Baseline } from "./c.ts";
import { type Benchmark, timed } from "./run.ts";

const TIMES = 5_000;
const API_VERSION = { request: KVM.KVM_GET_API_VERSION.request };

/** `Fd.invoke`, which hot paths use, and `Fd.call`, which checks. */
export function calls(c: Baseline): Benchmark[] {
  const prepare = (kvm: (fd: Fd) => (times: number) => number): Benchmark["prepare"] => (stack) => {
    const fd = stack.use(Fd.open("/dev/kvm", "Kvm"));
    return { c: () => c.turn("call", TIMES), kvm: timed(kvm(fd), TIMES) };
  };
  const aim = { of: "ratio", to: "c", atMost: 1.25 } as const;
  return [
    { name: "ioctl, Fd.invoke", unit: "ns", aim, rounds: 4, prepare: prepare(invoke) },
    { name: "ioctl, Fd.call", unit: "ns", aim, rounds: 4, prepare: prepare(call) },
  ];
}

const invoke = (fd: Fd) => (times: number) => {
  let sum = 0;
  for (let i = 0; i < times; i++) sum += fd.invoke(API_VERSION);
  return sum;
};

const call = (fd: Fd) => (times: number) => {
  let sum = 0;
  for (let i = 0; i < times; i++) sum += fd.call(KVM.KVM_GET_API_VERSION);
  return sum;
};
