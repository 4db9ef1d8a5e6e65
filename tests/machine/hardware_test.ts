import { assertEquals, assertNotEquals } from "@std/assert";
import { Irqchip, MpState } from "../../ffi/uapi/mod.ts";
import { Errno, Kvm, KvmError, MSR } from "../../mod.ts";
import { LapicRegisters, LVT, XCR0, XsaveArea } from "../../src/arch/x86/mod.ts";
import { memoryMap } from "../../src/firmware/mod.ts";
import type { Vcpu, Vm } from "../../src/kvm/mod.ts";
import { createHardware } from "../../src/machine/hardware.ts";
import { PowerOnState } from "../../src/machine/power_on.ts";
import { needing } from "../support/host.ts";
import { supportedCpuid } from "../support/machine.ts";

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

/** A part of the state: what is looked at, and how it becomes something else. */
interface Part {
  readonly read: (vm: Vm, vcpus: readonly Vcpu[]) => unknown;
  readonly change: (vm: Vm, vcpus: readonly Vcpu[]) => void;
}

/** A part that each vCPU has. */
const ofEach = (read: (vcpu: Vcpu) => unknown, change: (vcpu: Vcpu) => void): Part => ({
  read: (_, vcpus) => vcpus.map(read),
  change: (_, vcpus) => vcpus.forEach(change),
});

/** An interrupt controller's part. */
const ofChip = <T>(
  id: number,
  read: (chip: ReturnType<Vm["getIrqchip"]>["chip"]) => T,
  change: (chip: ReturnType<Vm["getIrqchip"]>["chip"]) => void,
): Part => ({
  read: (vm) => read(vm.getIrqchip(id).chip),
  change: (vm) => {
    const state = vm.getIrqchip(id);
    change(state.chip);
    vm.setIrqchip(state);
  },
});

const cpuid = supportedCpuid();
const hasXsave = (cpuid.find(0xd)?.eax ?? 0) > 1;

const parts: Readonly<Record<string, Part>> = {
  "the master PIC's mask": ofChip(Irqchip.PIC_MASTER, ({ pic }) => pic.imr, ({ pic }) => {
    pic.imr = 0xa5;
  }),
  "the slave PIC's mask": ofChip(Irqchip.PIC_SLAVE, ({ pic }) => pic.imr, ({ pic }) => {
    pic.imr = 0x5a;
  }),
  "the I/O APIC's pins": ofChip(
    Irqchip.IOAPIC,
    ({ ioapic }) => ioapic.redirtbl[3],
    ({ ioapic }) => {
      ioapic.redirtbl[3] = 0x1_0033n;
    },
  ),
  "the PIT's channel 0": {
    read: (vm) => {
      const { mode, count } = vm.getPit2().channels[0]!;
      return [mode, count];
    },
    change: (vm) => {
      const state = vm.getPit2();
      state.channels[0]!.mode = 3;
      state.channels[0]!.count = 1234;
      vm.setPit2(state);
    },
  },
  "a local APIC's pins": ofEach((vcpu) => {
    const registers = new LapicRegisters(vcpu.getLapic());
    return [registers.read("lvtLint0"), registers.read("lvtLint1")];
  }, (vcpu) => {
    const lapic = vcpu.getLapic();
    const registers = new LapicRegisters(lapic);
    registers.write("lvtLint0", LVT.MASKED | 0x33);
    registers.write("lvtLint1", LVT.MASKED | 0x34);
    vcpu.setLapic(lapic);
  }),
  "XCR0": ofEach(
    (vcpu) => vcpu.getXcrs().xcrs[0]!.value,
    (vcpu) => vcpu.setXcrs({ xcrs: [{ value: XCR0.X87 | XCR0.SSE }] }),
  ),
  "an XMM register": ofEach((vcpu) => {
    return new XsaveArea(vcpu.getXsave(), cpuid.entries).read("xmm0");
  }, (vcpu) => {
    const xsave = vcpu.getXsave();
    new XsaveArea(xsave, cpuid.entries).write("xmm0", 0x1234n);
    vcpu.setXsave(xsave);
  }),
  "the debug registers": ofEach((vcpu) => {
    const { db, dr7 } = vcpu.getDebugregs();
    return [...db, dr7];
  }, (vcpu) => vcpu.setDebugregs({ db: [0x1000n, 0x2000n], dr7: 0x401n })),
  "the NMI's mask": ofEach(
    (vcpu) => vcpu.getVcpuEvents().nmi.masked,
    (vcpu) => vcpu.setVcpuEvents({ nmi: { masked: 1 } }),
  ),
  "CR2": ofEach((vcpu) => vcpu.getSregs().cr2, (vcpu) => vcpu.setSregs({ cr2: 0x1234n })),
  "each vCPU's state of running": {
    read: (_, vcpus) => vcpus.map((vcpu) => vcpu.getMpState()),
    change: (_, [first, second]) => {
      first!.setMpState(MpState.HALTED);
      second!.setMpState(MpState.RUNNABLE);
    },
  },
};

for (const [name, { read, change }] of Object.entries(parts)) {
  const sentence = `a restore brings back ${name} of power-on`;
  Deno.test({
    ...(name === "XCR0" ? needing("XSAVE", hasXsave, sentence) : { name: sentence }),
    fn() {
      using kvm = Kvm.open();
      const { vm, vcpus, powerOn } = createHardware(kvm, memoryMap(2 << 20), CPUS, "host");
      using _vm = vm;
      const before = read(vm, vcpus);
      change(vm, vcpus);
      assertNotEquals(read(vm, vcpus), before);
      powerOn.restore();
      assertEquals(read(vm, vcpus), before);
    },
  });
}
