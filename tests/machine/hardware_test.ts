import { assertEquals } from "@std/assert";
import { Errno, Kvm, KvmError, MSR } from "../../mod.ts";
import { memoryMap } from "../../src/firmware/mod.ts";
import type { Vcpu } from "../../src/kvm/mod.ts";
import { createHardware } from "../../src/machine/hardware.ts";
import { PowerOnState } from "../../src/machine/power_on.ts";

const CPUS = 3;

/** How often one of an object's methods is called meanwhile. */
function callsOf<K extends string, T extends Record<K, (...args: never[]) => unknown>>(
  object: T,
  name: K,
): () => number {
  const original = object[name];
  let calls = 0;
  const counting = (...args: never[]) => {
    calls++;
    return original.apply(object, args);
  };
  Object.defineProperty(object, name, { value: counting, configurable: true });
  return () => calls;
}

Deno.test("the host is asked for its CPUID once, and each vCPU has its own place in it", () => {
  using kvm = Kvm.open();
  const calls = callsOf(kvm, "getSupportedCpuid");
  const { vm, vcpus } = createHardware(kvm, memoryMap(2 << 20), CPUS, "host");
  using _vm = vm;
  assertEquals(calls(), 1);
  const ids = vcpus.map((vcpu) => vcpu.getCpuid().find(1)!.ebx >>> 24);
  assertEquals(ids, [0, 1, 2]);
});

Deno.test("a vCPU's MSRs are remembered at once, but for those that it refuses", () => {
  using kvm = Kvm.open();
  const { vm, vcpus } = createHardware(kvm, memoryMap(2 << 20), CPUS, "host");
  using _vm = vm;
  const [first, second] = vcpus as [Vcpu, Vcpu];
  const original = first.getMsrs;
  const refusing = (indices: number[]) => {
    if (indices.includes(MSR.CSTAR)) {
      throw new KvmError({ operation: "read MSR CSTAR", errno: Errno.EINVAL });
    }
    return original.call(first, indices);
  };
  Object.defineProperty(first, "getMsrs", { value: refusing, configurable: true });
  const calls = callsOf(second, "getMsrs");
  const state = new PowerOnState(kvm, vm, vcpus);
  assertEquals(calls(), 1);
  Object.defineProperty(first, "getMsrs", { value: original });

  for (const vcpu of [first, second]) {
    const remembered = [MSR.STAR, MSR.LSTAR, MSR.KERNEL_GS_BASE];
    const before = vcpu.getMsrs(remembered);
    for (const index of [...remembered, MSR.CSTAR]) vcpu.setMsr(index, 0x1000n);
    state.restore();
    assertEquals(vcpu.getMsrs(remembered), before);
    assertEquals(vcpu.getMsr(MSR.CSTAR), 0x1000n);
  }
});
