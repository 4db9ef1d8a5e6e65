/**
 * Capabilities that tests need.
 *
 * @module
 */

import { Cap } from "../../ffi/uapi/mod.ts";
import { Kvm } from "../../src/kvm/mod.ts";
import { needing, type Needs } from "./host.ts";

type CapName = keyof typeof Cap;

const present = new Map<CapName, boolean>();

/** Whether a VM has them all. One is made for what has not been asked before. */
function hasCaps(caps: readonly CapName[]): boolean {
  const unknown = caps.filter((cap) => !present.has(cap));
  if (unknown.length > 0) {
    using kvm = Kvm.open();
    using vm = kvm.createVm();
    for (const cap of unknown) present.set(cap, vm.check(Cap[cap]) !== 0);
  }
  return caps.every((cap) => present.get(cap));
}

/** For a test of what only some hosts' KVM can do: `Deno.test(needs("...", "IRQCHIP"), () => ...)`. */
export function needs(name: string, ...caps: CapName[]): Needs {
  return needing(`KVM's ${caps.join(", ")}`, hasCaps(caps), name);
}
