/**
 * A thread that runs a guest until it is told to stop, and counts how often it was kicked.
 *
 * @module
 */

import { guests } from "../../guests/mod.ts";
import { longMode } from "../../src/boot/mod.ts";
import { Kvm } from "../../src/kvm/mod.ts";
import { type KickRequest, Word } from "./kicks.ts";

/** The part of a Worker's scope that is used here. */
interface Scope {
  onmessage: (event: MessageEvent<KickRequest>) => void;
  postMessage(message: unknown): void;
}

const scope = globalThis as unknown as Scope;

scope.onmessage = ({ data: { guest, shared } }) => {
  const words = new Int32Array(shared);
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  const memory = vm.addMemory({ size: 2 << 20 });
  using vcpu = vm.createVcpu(0);
  longMode(vcpu, memory, { code: guests[guest] });
  scope.postMessage(vcpu.kickHandle);
  while (Atomics.load(words, Word.STOP) === 0) {
    if (vcpu.run().reason !== "intr") continue;
    if (vcpu.kvmRun.immediateExit !== 0) Atomics.add(words, Word.FLAGS_LEFT, 1);
    Atomics.add(words, Word.SEEN, 1);
    Atomics.notify(words, Word.SEEN);
  }
  vcpu.close();
  scope.postMessage("closed");
};
