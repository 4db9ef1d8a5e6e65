import { assertEquals } from "@std/assert";
import { Errno, Kvm, KvmError, MSR } from "../../mod.ts";
import { memoryMap } from "../../src/firmware/mod.ts";
import type { Vcpu } from "../../src/kvm/mod.ts";
import { createHardware } from "../../src/machine/hardware.ts";
import { PowerOnState } from "../../src/machine/power_on.ts";

const CPUS = 3;

/** Puts something else in a method's place, in its class, until disposed of. */
function replaced<T extends object, K extends keyof T>(
  object: T,
  name: K,
  by: (original: T[K]) => T[K],
): Disposable {
  let owner: object = object;
  while (!Object.hasOwn(owner, name)) owner = Object.getPrototypeOf(owner);
  const before = Object.getOwnPropertyDescriptor(owner, name)!;
  Object.defineProperty(owner, name, { ...before, value: by(before.value) });
  return { [Symbol.dispose]: () => void Object.defineProperty(owner, name, before) };
}

Deno.test("the host is asked for its CPUID once, and each vCPU has its own place in it", () => {
  using kvm = Kvm.open();
  let calls = 0;
  using _counted = replaced(kvm, "getSupportedCpuid", (original) =>
    function (this: Kvm) {
      calls++;
      return original.call(this);
    });
  const { vm, vcpus } = createHardware(kvm, memoryMap(2 << 20), CPUS, "host");
  using _vm = vm;
  assertEquals(calls, 1);
  const ids = vcpus.map((vcpu) => vcpu.getCpuid().find(1)!.ebx >>> 24);
  assertEquals(ids, [0, 1, 2]);
});

Deno.test("a vCPU's MSRs are remembered at once, but for those that it refuses", () => {
  using kvm = Kvm.open();
  const { vm, vcpus } = createHardware(kvm, memoryMap(2 << 20), CPUS, "host");
  using _vm = vm;
  const [first, second] = vcpus as [Vcpu, Vcpu];
  let calls = 0;
  const state = (() => {
    using _refusing = replaced(first, "getMsrs", (original) =>
      function (this: Vcpu, indices) {
        if (this === second) calls++;
        if (this === first && Array.from(indices).includes(MSR.CSTAR)) {
          throw new KvmError({ operation: "read MSR CSTAR", errno: Errno.EINVAL });
        }
        return original.call(this, indices);
      });
    return new PowerOnState(kvm, vm, vcpus);
  })();
  assertEquals(calls, 1);

  for (const vcpu of [first, second]) {
    const remembered = [MSR.STAR, MSR.LSTAR, MSR.KERNEL_GS_BASE];
    const before = vcpu.getMsrs(remembered);
    for (const index of [...remembered, MSR.CSTAR]) vcpu.setMsr(index, 0x1000n);
    state.restore();
    assertEquals(vcpu.getMsrs(remembered), before);
    assertEquals(vcpu.getMsr(MSR.CSTAR), 0x1000n);
  }
});
