import { assert, assertArrayIncludes, assertEquals, assertGreater } from "@std/assert";
import { apicIdOf, type CpuidFeature, cpuidFeature } from "../../src/arch/x86/mod.ts";
import {
  Cpuid,
  type CpuidEntry,
  Kvm,
  type Regs,
  type Sregs,
  type Vcpu,
} from "../../src/kvm/mod.ts";
import { type GuestRun, runGuest } from "../../src/testing/mod.ts";
import { guests } from "../../guests/mod.ts";
import { assertCode } from "../support/codes.ts";
import { needing } from "../support/host.ts";
import { CELLS } from "../support/machine.ts";
import { needs } from "../support/needs.ts";

/** cpuid; mov [0x2000], eax; mov [0x2004], ebx; mov [0x2008], ecx; mov [0x200c], edx; hlt */
const code = Uint8Array.of(
  ...[0x0f, 0xa2, 0x89, 0x04, 0x25, 0x00, 0x20, 0x00, 0x00, 0x89, 0x1c, 0x25, 0x04, 0x20, 0, 0],
  ...[0x89, 0x0c, 0x25, 0x08, 0x20, 0, 0, 0x89, 0x14, 0x25, 0x0c, 0x20, 0, 0, 0xf4],
);

type Answer = Pick<CpuidEntry, "eax" | "ebx" | "ecx" | "edx">;

/** A guest with these leaves, which can be asked for one after another. */
class Asked implements Disposable {
  readonly #guest: GuestRun;
  readonly #start: [Sregs, Regs];

  constructor(cpuid: Cpuid, cpl: 0 | 3 = 0) {
    let start: [Sregs, Regs] | undefined;
    const prepare = (vcpu: Vcpu) => {
      vcpu.setCpuid(cpuid);
      start = [vcpu.getSregs(), vcpu.getRegs()];
    };
    // At level 3 HLT is a #GP: all is in memory by then.
    this.#guest = runGuest({ code, cpl, prepare, ends: ["hlt", "exception"] });
    this.#start = start!;
  }

  /** What CPUID answers. */
  answer(leaf: number, subleaf = 0): Answer {
    const { vcpu, memory } = this.#guest;
    const [sregs, regs] = this.#start;
    vcpu.setSregs(sregs);
    regs.rax = BigInt(leaf);
    regs.rcx = BigInt(subleaf);
    vcpu.setRegs(regs);
    vcpu.run();
    const [eax = 0, ebx = 0, ecx = 0, edx = 0] = memory.array(Uint32Array, CELLS, 4);
    return { eax, ebx, ecx, edx };
  }

  /** Whether the guest sees a feature. */
  sees(name: CpuidFeature): boolean {
    const { leaf, subleaf, register, mask } = cpuidFeature(name);
    return (this.answer(leaf, subleaf)[register] & mask) !== 0;
  }

  [Symbol.dispose](): void {
    this.#guest[Symbol.dispose]();
  }
}

/** What a guest with these leaves gets from CPUID. */
function ask(cpuid: Cpuid, leaf: number, subleaf = 0, cpl: 0 | 3 = 0): Answer {
  using guest = new Asked(cpuid, cpl);
  return guest.answer(leaf, subleaf);
}

/** The leaves that KVM keeps when a vCPU is given these. */
function kept(cpuid: Cpuid): Cpuid {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  using vcpu = vm.createVcpu(0);
  vcpu.setCpuid(cpuid);
  return vcpu.getCpuid();
}

function host(...disabled: CpuidFeature[]): Cpuid {
  using kvm = Kvm.open();
  return Cpuid.host(kvm).disable(...disabled);
}

/**
 * Features to mask in these tests: some KVMs put the processor's own back. What is kept off by
 * KVM_GET_CPUID2 the guest must not see.
 */
const candidates: readonly CpuidFeature[] = [
  ...["x2apic", "cx16", "clwb", "clflushopt", "tsc_adjust", "avx2", "popcnt", "rdseed"] as const,
  ...["rdtscp", "abm", "kvm_steal_time", "kvm_pv_eoi"] as const,
];
const had = candidates.filter((name) => host().has(name));
const bare = kept(host(...had));
const maskable = had.filter((name) => !bare.has(name));

Deno.test(
  needing(
    "a KVM that lets features be masked",
    maskable.length > 0,
    "a masked feature is gone in the guest, and the others are still there",
  ),
  () => {
    assertArrayIncludes(maskable, ["kvm_pv_eoi"]);
    using before = new Asked(host());
    using after = new Asked(host(...maskable));
    for (const name of maskable) {
      assert(before.sees(name), `${name} before`);
      assert(!after.sees(name), `${name} masked`);
    }
    const [first, ...others] = maskable;
    using less = new Asked(host(first!));
    for (const name of others) assert(less.sees(name), name);
  },
);

/** Whether KVM answers at level 3, or the processor does. */
const answersUsers = (() => {
  const marked = host().set(0x4000_0010, { eax: 0x1234_5678 });
  return ask(marked, 0x4000_0010, 0, 3).eax === 0x1234_5678;
})();

Deno.test(
  needing("CPUID to exit at level 3", answersUsers, "CPUID answers the same at level 3"),
  () => {
    for (const cpuid of [host(), host(...maskable)]) {
      using supervisor = new Asked(cpuid);
      using user = new Asked(cpuid, 3);
      for (const name of maskable) {
        const { leaf, subleaf } = cpuidFeature(name);
        assertEquals(user.answer(leaf, subleaf), supervisor.answer(leaf, subleaf), name);
      }
    }
  },
);

Deno.test("a guest sees what getCpuid says", () => {
  const cpuid = kept(host());
  using guest = new Asked(cpuid);
  for (const entry of cpuid.entries) {
    // The extended state's size is that of what the guest has enabled.
    if (entry.function === 0xd) continue;
    const answer = guest.answer(entry.function, entry.index);
    const different = new Cpuid([entry]).diff(new Cpuid([{ ...entry, ...answer }]));
    const own = different.filter((line) => !line.includes("KVM keeps"));
    assertEquals(own, [], `leaf 0x${entry.function.toString(16)}.${entry.index}`);
  }
});

Deno.test("a guest sees vendor, brand, signature and hypervisor that were set", () => {
  const cpuid = host();
  cpuid.vendor = "DenoDenoDeno";
  cpuid.brand = "A processor of our own";
  cpuid.signature = { family: 6, model: 0x8f, stepping: 7 };
  cpuid.hypervisor = "OurOwnVmm";
  using guest = runGuest({ code: guests.cpuid, prepare: (vcpu) => vcpu.setCpuid(cpuid) });
  assertEquals(guest.output, "DenoDenoDeno\n");

  const leaves = [0, 1, 0x8000_0002, 0x8000_0003, 0x8000_0004, 0x4000_0000];
  const seen = new Cpuid();
  using asked = new Asked(cpuid);
  for (const leaf of leaves) seen.set(leaf, asked.answer(leaf));
  assertEquals(seen.vendor, "DenoDenoDeno");
  assertEquals(seen.brand, "A processor of our own");
  assertEquals(seen.signature, { family: 6, model: 0x8f, stepping: 7 });
  assertEquals(seen.hypervisor, "OurOwnVmm");
  assertEquals(seen.find(0x4000_0000)?.eax, 0x4000_0000);
});

Deno.test("a guest sees the highest leaf that limit() leaves", () => {
  const cpuid = host().limit(7).limit(0x8000_0008);
  using guest = runGuest({ code: guests.cpuid, prepare: (vcpu) => vcpu.setCpuid(cpuid) });
  assertEquals(guest.memory.readU32(0x2010), 7);
  assertEquals(ask(cpuid, 0x8000_0000).eax, 0x8000_0008);
});

Deno.test("a leaf that set() adds answers the guest, each subleaf for itself", () => {
  const cpuid = host();
  const { maxLeaf } = cpuid;
  cpuid.set(0x4000_0010, { eax: 2_000_000, ebx: 1_000_000 });
  cpuid.set(0x1f, { ecx: 0x100, edx: 9 }).set(0x1f, { ecx: 0x201, edx: 9 }, 1);
  using guest = new Asked(cpuid);
  const [levels, cores] = [0, 1].map((at) => guest.answer(0x1f, at).ecx);
  assertEquals([levels, cores], [0x100, 0x201]);
  assertEquals(guest.answer(0x4000_0010), { eax: 2_000_000, ebx: 1_000_000, ecx: 0, edx: 0 });
  assertEquals(guest.answer(0x4000_0000).eax, 0x4000_0010);
  assertEquals(guest.answer(0).eax, Math.max(maxLeaf, 0x1f));
});

Deno.test("each vCPU of a topology sees its own APIC id and the same counts", () => {
  using kvm = Kvm.open();
  const topology = { threads: 2, cores: 3, sockets: 2 };
  for (const index of [0, 5, 6, 11]) {
    const id = apicIdOf(index, topology);
    const cpuid = Cpuid.host(kvm, { id, topology });
    using guest = new Asked(cpuid);
    const leaf1 = guest.answer(1);
    assertEquals(leaf1.ebx >>> 24, id);
    assert(leaf1.edx & cpuidFeature("ht").mask);
    if (cpuid.maxLeaf < 0xb) continue;
    const [threads, cores, end] = [0, 1, 2].map((level) => guest.answer(0xb, level));
    assertEquals(threads, { eax: 1, ebx: 2, ecx: 0x100, edx: id });
    assertEquals(cores, { eax: 3, ebx: 6, ecx: 0x201, edx: id });
    assertEquals(end, { eax: 0, ebx: 0, ecx: 2, edx: id });
  }
});

Deno.test("a guest of the baseline has what 64-bit code takes for granted", () => {
  using guest = new Asked(Cpuid.baseline());
  for (const name of ["sse2", "cmov", "fxsr", "lm", "nx", "syscall", "hypervisor"] as const) {
    assert(guest.sees(name), name);
  }
  assertEquals(guest.answer(0).eax, 0xb);
});

Deno.test("the baseline does not depend on the host", () => {
  using kvm = Kvm.open();
  assertEquals(Cpuid.baseline().entries, Cpuid.fromModel(kvm, "baseline").entries);
  assertEquals(Cpuid.baseline().vendor, "GenuineIntel");
  assert(!Cpuid.baseline().has("avx"));
});

Deno.test(
  needs("KVM's paravirtual features are there by name, and go with its signature", "CLOCKSOURCE"),
  () => {
    const cpuid = host();
    assertEquals(cpuid.hypervisor, "KVMKVMKVM");
    assert(cpuid.has("kvm_clock2"));
    assert(cpuid.has("kvmclock"));
    cpuid.hypervisor = undefined;
    assert(!cpuid.has("kvm_clock2") && !cpuid.has("hypervisor"));
    assertEquals(ask(cpuid, 1).ecx & cpuidFeature("hypervisor").mask & 0, 0);
    cpuid.enable("kvm_clock2");
    assertEquals(cpuid.hypervisor, "KVMKVMKVM");
    using guest = new Asked(cpuid);
    assert(guest.sees("kvm_clock2"));
  },
);

Deno.test("a VM without in-kernel APICs gets no features that need them", () => {
  using kvm = Kvm.open();
  const cpuid = Cpuid.host(kvm, { irqchip: false });
  for (const name of ["x2apic", "tsc_deadline_timer", "kvm_pv_eoi"] as const) {
    assert(!cpuid.has(name), name);
  }
  const { message } = assertCode(
    "EOPNOTSUPP",
    () => Cpuid.fromModel(kvm, "host,+x2apic", { irqchip: false }),
  );
  assert(message.includes("in-kernel APICs"));
});

Deno.test("a model's changes reach the guest, and what the host lacks is refused", () => {
  using kvm = Kvm.open();
  const cpuid = Cpuid.fromModel(kvm, "host,-kvm_pv_eoi,model-id=Number 9,level=7");
  assertEquals(ask(cpuid, 0x4000_0001).eax & cpuidFeature("kvm_pv_eoi").mask, 0);
  assertEquals(ask(cpuid, 0).eax, 7);
  assertEquals(cpuid.brand, "Number 9");
  assertCode("EOPNOTSUPP", () => Cpuid.fromModel(kvm, "host,+ia64"));
  assertCode("ENOENT", () => Cpuid.fromModel(kvm, "host,-avx513f"));
});

Deno.test("KVM refuses leaves that contradict each other, and says why", () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  using vcpu = vm.createVcpu(0);
  const cpuid = host().set(0x8000_0008, { eax: 50 << 8 | 40 });
  const { hint = "" } = assertCode("EINVAL", () => vcpu.setCpuid(cpuid));
  assert(hint.includes("0x80000008"), hint);
});

Deno.test("more leaves than a vCPU takes are refused, and as many as it takes are not", () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  using vcpu = vm.createVcpu(0);
  const cpuid = new Cpuid();
  for (let at = 0; cpuid.entries.length < 256; at++) cpuid.set(0x4000_0100 + at, { eax: at });
  vcpu.setCpuid(cpuid);
  assertGreater(vcpu.getCpuid().entries.length, 255);
  cpuid.set(0x4000_1000, {});
  assertCode("E2BIG", () => vcpu.setCpuid(cpuid));
});

Deno.test("the supported leaves stay as they are when a copy is changed", () => {
  const cpuid = host();
  const copy = cpuid.clone().disable("sse2");
  assert(cpuid.has("sse2") && !copy.has("sse2"));
  assertEquals(cpuid.diff(copy), ["-sse2"]);
});
