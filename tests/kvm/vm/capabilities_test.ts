import { assert, assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { Cap, CpuidFlag, PmuCap, Quirk, X2apic } from "../../../ffi/uapi/mod.ts";
import { guests } from "../../../guests/mod.ts";
import { longMode } from "../../../src/boot/mod.ts";
import { Cpuid, Kvm, msiMessage, type Vm } from "../../../src/kvm/mod.ts";
import { runGuest } from "../../../src/testing/mod.ts";
import { assertCode } from "../../support/codes.ts";
import { bare, CELLS, runUntil, startLong, supportedCpuid } from "../../support/machine.ts";
import { needs } from "../../support/needs.ts";

/** cpuid; hlt */
const cpuid = Uint8Array.of(0x0f, 0xa2, 0xf4);
/** rdmsr; hlt */
const rdmsr = Uint8Array.of(0x0f, 0x32, 0xf4);
/** hlt */
const hlt = Uint8Array.of(0xf4);

/**
 * Enables the local APIC by MMIO, tells port 0xe0 and waits with interrupts enabled. The handler, at
 * 0x1015, counts at 0x2000, ends the interrupt and reports the count to port 0xf4.
 */
const waiting = Uint8Array.fromHex(
  "bb0000e0fec783f0000000ff010000e6e0fbf4ebfd" +
    "ff042500200000c783b0000000000000008b042500200000e6f448cf",
);
const WAITING_HANDLER = 0x1015;

/** The same in x2APIC mode, without an end of interrupt: its id to 0x2004; the handler at 0x1022. */
const waitingX2apic = Uint8Array.fromHex(
  "b90f080000b8ff01000031d20f30b9020800000f3289042504200000e6e0fbf4ebfd" +
    "ff0425002000008b042500200000e6f448cf",
);
const X2APIC_HANDLER = 0x1022;
const READY_PORT = 0xe0;

Deno.test("a capability that the host lacks is EOPNOTSUPP and named", () => {
  using machine = bare();
  const { vm, vcpu } = machine;
  const unknown = 60_000 as Cap;
  for (const owner of [vm, vcpu]) {
    const error = assertCode("EOPNOTSUPP", () => owner.enableCap(unknown));
    assertStringIncludes(error.message, "KVM_CAP_60000");
  }
  const known = Object.entries(Cap).find(([, cap]) => vm.check(cap) === 0);
  if (known === undefined) return;
  const [name, cap] = known;
  assertEquals(vcpu.check(cap), 0);
  const error = assertCode("EOPNOTSUPP", () => vm.enableCap(cap, 1));
  assertStringIncludes(error.message, `KVM_CAP_${name}`);
});

Deno.test("arguments that can't be never reach the kernel", () => {
  using machine = bare();
  const { vm, vcpu } = machine;
  for (const value of [-1, 1.5, NaN, 2 ** 60, -1n, 1n << 64n]) {
    assertCode("EINVAL", () => vm.enableCap(Cap.HALT_POLL, value), String(value));
  }
  assertCode("EINVAL", () => vm.enableCap(Cap.HALT_POLL, 0, 0, 0, 0, 0));
  assertCode("EINVAL", () => vm.enableCap(-1 as Cap));
  assertCode("EINVAL", () => vm.haltPoll(-1));
  assertCode("EINVAL", () => vm.maxVcpuId(0));
  assertCode("EINVAL", () => vm.apicBusCyclesNs(0));
  assertCode("EINVAL", () => vm.vmCopyEncContextFrom(vm));
  // Its argument would be an address for the kernel to write to.
  assertCode("EINVAL", () => vcpu.enableCap(Cap.HYPERV_ENLIGHTENED_VMCS, 4096));
});

Deno.test("bits of a mask that the host lacks are EOPNOTSUPP and named", () => {
  using machine = bare();
  const { vm } = machine;
  for (const cap of [Cap.X86_DISABLE_EXITS, Cap.X2APIC_API, Cap.DISABLE_QUIRKS2]) {
    if (vm.check(cap) === 0) continue;
    const error = assertCode("EOPNOTSUPP", () => vm.enableCap(cap, 1n << 40n));
    assertStringIncludes(error.message, "0x10000000000");
  }
});

Deno.test("a closed VM enables nothing", () => {
  const { vm, vcpu } = bare();
  vm.close();
  assertCode("EBADF", () => vm.haltPoll(0));
  assertCode("EBADF", () => vcpu.enforcePvCpuid());
  assertCode("EBADF", () => vm.check(Cap.HALT_POLL));
});

Deno.test(
  needs("with a split irqchip, the end of a level-triggered interrupt exits", "SPLIT_IRQCHIP"),
  () => {
    using machine = bare(2 << 20, (vm) => vm.splitIrqchip(24));
    const { vm, vcpu, memory } = machine;
    vcpu.setCpuid(supportedCpuid());
    const vector = 0x31;
    // Line 5 of the IOAPIC that this test would be.
    vm.setGsiRouting([{ gsi: 5, msi: msiMessage({ vector, trigMode: 1 }) }]);
    const idt = { handlers: { [vector]: WAITING_HANDLER } };
    longMode(vcpu, memory, { code: waiting, idt });
    using _limit = vcpu.interruptAfter(5000);
    assertEquals(runUntil(vcpu, "io").port, READY_PORT);
    vm.setIrqLine(5, true);
    // The exit comes when the guest is next entered: behind the report, where it is interpreted.
    const seen: string[] = [];
    for (let count = 0; count < 2; count++) {
      const exit = vcpu.run({ timeout: 5000 });
      seen.push(exit.reason);
      if (exit.reason === "ioapicEoi") assertEquals(exit.vector, vector);
    }
    assertEquals(seen.sort(), ["io", "ioapicEoi"]);
    assertEquals(memory.readU32(CELLS), 1);
    assertCode("EEXIST", () => vm.createIrqchip());
  },
);

Deno.test(needs("a split irqchip comes before the vCPUs", "SPLIT_IRQCHIP"), () => {
  using machine = bare();
  assertCode("EEXIST", () => machine.vm.splitIrqchip());
});

Deno.test(needs("an MSI reaches an APIC id above 255", "X2APIC_API", "IRQCHIP"), () => {
  const ids = X2apic.API_USE_32BIT_IDS | X2apic.API_DISABLE_BROADCAST_QUIRK;
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  if (kvm.maxVcpuId <= 300) return;
  vm.createIrqchip();
  vm.x2apicApi(ids);
  const memory = vm.addMemory({ size: 2 << 20 });
  using vcpu = vm.createVcpu(300);
  vcpu.setCpuid(withX2apic(kvm.getSupportedCpuid(), 300));
  const vector = 0x31;
  longMode(vcpu, memory, { code: waitingX2apic, idt: { handlers: { [vector]: X2APIC_HANDLER } } });
  const apicBase = vcpu.getSregs().apicBase | 0xc00n;
  vcpu.setSregs({ apicBase });
  using _limit = vcpu.interruptAfter(5000);
  assertEquals(runUntil(vcpu, "io").port, READY_PORT);
  assertEquals(memory.readU32(CELLS + 4), 300, "the id that the guest reads");
  vm.signalMsi(msiMessage({ vector, destId: 300 }));
  assertEquals(runUntil(vcpu, "io").value, 1);
});

/** The leaves with the x2APIC's bit. */
function withX2apic(leaves: Cpuid, apicId: number): Cpuid {
  const features = leaves.find(1);
  if (features !== undefined) {
    features.ecx |= 1 << 21;
    features.ebx = (features.ebx & 0x00ff_ffff) | ((apicId & 0xff) << 24);
  }
  return leaves;
}

Deno.test(needs("ids are below the limit that a VM sets itself", "MAX_VCPU_ID"), () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  assertCode("EINVAL", () => vm.maxVcpuId(vm.check(Cap.MAX_VCPU_ID) + 1));
  vm.maxVcpuId(2);
  assertCode("EINVAL", () => vm.createVcpu(2));
  using _vcpu = vm.createVcpu(1);
  assertCode("EINVAL", () => vm.maxVcpuId(1));
});

Deno.test(needs("a quirk that is disabled is gone for the guest", "DISABLE_QUIRKS2"), () => {
  // MONITOR in CPUID follows IA32_MISC_ENABLE, which says no after reset, unless the quirk is on.
  const monitor = 1n << 3n;
  const leaves = new Cpuid([
    { function: 1, index: 0, flags: 0, eax: 0, ebx: 0, ecx: Number(monitor), edx: 0 },
  ]);
  const monitorSeen = (setup: (vm: Vm) => void) => {
    using guest = runGuest({
      code: cpuid,
      registers: { rax: 1n },
      setup,
      prepare: (vcpu) => vcpu.setCpuid(leaves),
    });
    return (guest.registers.rcx & monitor) !== 0n;
  };
  assertEquals(monitorSeen(() => {}), true);
  assertEquals(monitorSeen((vm) => vm.disableQuirks2(Quirk.MISC_ENABLE_NO_MWAIT)), false);
});

Deno.test(
  needs("a halted vCPU is polled for as long as the VM allows", "HALT_POLL", "BINARY_STATS_FD"),
  () => {
    const polls = (nanoseconds: number) => {
      using machine = bare(1 << 20, (vm) => {
        vm.createIrqchip();
        vm.haltPoll(nanoseconds);
      });
      const { vcpu, memory } = machine;
      vcpu.setCpuid(supportedCpuid());
      longMode(vcpu, memory, { code: guests.apicTimer });
      assertEquals(vcpu.run({ timeout: 5000 }).reason, "io");
      using stats = vcpu.getStatsFd();
      return stats.readRaw("halt_attempted_poll")!;
    };
    assertEquals(polls(0), 0n);
    // Its ticks come each 10 ms: worth polling for if that is less than the limit.
    assertGreater(polls(50_000_000), 0n);
  },
);

Deno.test(
  needs("a slower APIC bus makes the guest's timer slower", "X86_APIC_BUS_CYCLES_NS", "IRQCHIP"),
  () => {
    using machine = bare(1 << 20, (vm) => {
      assertCode("ENXIO", () => vm.apicBusCyclesNs(4));
      vm.createIrqchip();
      vm.apicBusCyclesNs(4);
    });
    const { vm, vcpu, memory } = machine;
    vcpu.setCpuid(supportedCpuid());
    longMode(vcpu, memory, { code: guests.apicTimer });
    const start = performance.now();
    assertEquals(vcpu.run({ timeout: 10_000 }).reason, "io");
    // Five ticks of 10 million cycles.
    assertGreater(performance.now() - start, 150);
    assertCode("EINVAL", () => vm.apicBusCyclesNs(4));
  },
);

Deno.test(
  needs("the guest reads MSR_PLATFORM_INFO if it may, else it is #GP", "MSR_PLATFORM_INFO"),
  () => {
    const MSR_PLATFORM_INFO = 0xcen;
    const read = (setup: (vm: Vm) => void) => {
      const registers = { rcx: MSR_PLATFORM_INFO, rax: 1n, rdx: 1n };
      using guest = runGuest({ code: rdmsr, registers, setup, ends: ["hlt", "exception"] });
      return guest.exception?.name;
    };
    assertEquals(read((vm) => vm.msrPlatformInfo(true)), undefined);
    assertEquals(read((vm) => vm.msrPlatformInfo(false)), "#GP");
  },
);

Deno.test(needs("a guest without a PMU runs", "PMU_CAPABILITY"), () => {
  using guest = runGuest({ code: hlt, setup: (vm) => vm.pmuCapability(PmuCap.DISABLE) });
  assertEquals(guest.exit.reason, "hlt");
  assertCode("EINVAL", () => guest.vm.pmuCapability(PmuCap.DISABLE));
});

Deno.test({
  ...needs("huge pages may be executable before the first vCPU", "VM_DISABLE_NX_HUGE_PAGES"),
  fn() {
    let allowed = true;
    using guest = runGuest({
      code: guests.hello,
      setup(vm) {
        try {
          vm.vmDisableNxHugePages();
        } catch {
          allowed = false;
          assertCode("EPERM", () => vm.vmDisableNxHugePages());
        }
      },
    });
    assertEquals(guest.output, "Hello from long mode!\n");
    if (allowed) assertCode("EINVAL", () => guest.vm.vmDisableNxHugePages());
  },
});

Deno.test("what only SGX and SEV hosts have is refused elsewhere", () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  using other = kvm.createVm();
  const code = (cap: Cap) => vm.check(cap) === 0 ? "EOPNOTSUPP" : "EINVAL";
  // Neither VM is encrypted, and the file is no /dev/sgx_provision.
  for (const call of [() => vm.vmCopyEncContextFrom(other), () => vm.vmMoveEncContextFrom(other)]) {
    try {
      call();
      assert(false, "An encryption context was taken from a VM that has none");
    } catch (error) {
      assertStringIncludes(String(error), "KvmError");
    }
  }
  assertCode(code(Cap.SGX_ATTRIBUTE), () => vm.sgxAttribute(vm.fd));
});

Deno.test(
  needs(
    "paravirtual MSRs that CPUID does not announce are refused, once enforced",
    "ENFORCE_PV_FEATURE_CPUID",
  ),
  () => {
    const MSR_KVM_SYSTEM_TIME_NEW = 0x4b56_4d01n;
    const read = (enforce: boolean) => {
      using guest = runGuest({
        code: rdmsr,
        registers: { rcx: MSR_KVM_SYSTEM_TIME_NEW, rax: 1n },
        prepare(vcpu) {
          vcpu.setCpuid(withoutPv(supportedCpuid()));
          vcpu.enforcePvCpuid(enforce);
        },
        ends: ["hlt", "exception"],
      });
      return guest.exception?.name;
    };
    assertEquals(read(false), undefined);
    assertEquals(read(true), "#GP");
  },
);

/** The leaves of KVM's own features, with none of them. */
function withoutPv(leaves: Cpuid): Cpuid {
  const [KVM_SIGNATURE, KVM_FEATURES] = [0x4000_0000, 0x4000_0001];
  const features = leaves.find(KVM_FEATURES);
  assert(features !== undefined && leaves.find(KVM_SIGNATURE) !== undefined);
  assertEquals(features.flags & CpuidFlag.SIGNIFCANT_INDEX, 0);
  features.eax = 0;
  return leaves;
}

Deno.test(
  needs("a Hyper-V guest's synthetic interrupt controller exits to be emulated", "HYPERV_SYNIC2"),
  () => {
    const HV_X64_MSR_SCONTROL = 0x4000_0080n;
    /** wrmsr; hlt */
    const wrmsr = Uint8Array.of(0x0f, 0x30, 0xf4);
    using machine = bare(2 << 20, (vm) => vm.createIrqchip());
    const { vcpu, memory } = machine;
    vcpu.setCpuid(supportedCpuid());
    const hyperv = vcpu.getSupportedHvCpuid().entries;
    const others = supportedCpuid().entries.filter(({ function: leaf }) => leaf >>> 16 !== 0x4000);
    vcpu.setCpuid(new Cpuid([...others, ...hyperv]));
    vcpu.hypervSynic();
    longMode(vcpu, memory, {
      code: wrmsr,
      registers: { rcx: HV_X64_MSR_SCONTROL, rax: 1n },
    });
    using _limit = vcpu.interruptAfter(5000);
    const exit = runUntil(vcpu, "hyperv");
    assertEquals([exit.u.synic.msr, exit.u.synic.control], [Number(HV_X64_MSR_SCONTROL), 1n]);
  },
);

Deno.test("Hyper-V's capabilities need their host, and an APIC", () => {
  using machine = startLong(hlt);
  const { vcpu } = machine;
  const lacks = (cap: Cap) => vcpu.check(cap) === 0;
  // The vCPU has no in-kernel APIC.
  assertCode(lacks(Cap.HYPERV_SYNIC2) ? "EOPNOTSUPP" : "EINVAL", () => vcpu.hypervSynic());
  assertCode(
    lacks(Cap.HYPERV_SYNIC) ? "EOPNOTSUPP" : "EINVAL",
    () => vcpu.hypervSynic({ zeroPages: true }),
  );
  for (
    const [cap, call] of [
      [Cap.HYPERV_ENLIGHTENED_VMCS, () => vcpu.hypervEnlightenedVmcs()],
      [Cap.HYPERV_DIRECT_TLBFLUSH, () => vcpu.hypervDirectTlbflush()],
      [Cap.HYPERV_ENFORCE_CPUID, () => vcpu.hypervEnforceCpuid()],
    ] as const
  ) {
    if (lacks(cap)) assertCode("EOPNOTSUPP", call);
    else call();
  }
  assertEquals(vcpu.run().reason, "hlt");
});
