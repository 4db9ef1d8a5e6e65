import { assert, assertEquals } from "@std/assert";
import { Cap, CpuidFlag } from "../../ffi/uapi/mod.ts";
import { apicIdOf } from "../../src/arch/x86/mod.ts";
import { Cpuid, type CpuidSource } from "../../src/kvm/mod.ts";
import { assertCode } from "../support/codes.ts";

/** Leaves as an AMD processor with SMT and caches has them. */
function amd(): Cpuid {
  const cpuid = Cpuid.baseline();
  cpuid.vendor = "AuthenticAMD";
  cpuid.set(0x8000_001d, { eax: 0x121 }).set(0x8000_001d, { eax: 0x143 }, 2);
  cpuid.set(0x8000_001d, { eax: 0x163 }, 3).set(0x8000_001d, {}, 4);
  return cpuid.enable("topoext");
}

/** A host that supports just these leaves, and capabilities. */
function hostOf(cpuid: Cpuid, emulated = new Cpuid(), caps: readonly Cap[] = []): CpuidSource {
  return {
    getSupportedCpuid: () => cpuid.clone(),
    getEmulatedCpuid: () => emulated,
    check: (cap) => caps.includes(cap) ? 1 : 0,
  };
}

function places(cpuid: Cpuid): string[] {
  return cpuid.entries.map((entry) => `${entry.function.toString(16)}.${entry.index}`);
}

Deno.test("leaves are kept in order, and the highest of each range is told", () => {
  const cpuid = new Cpuid();
  cpuid.set(0x8000_0001, {}).set(7, {}, 1).set(1, {}).set(0xd, { eax: 7 }).set(7, { ebx: 1 });
  cpuid.set(0x4000_0001, { eax: 9 });
  assertEquals(places(cpuid), [
    ...["0.0", "1.0", "7.0", "7.1", "d.0", "80000000.0", "80000001.0", "40000000.0", "40000001.0"],
  ]);
  assertEquals(cpuid.maxLeaf, 0xd);
  assertEquals(cpuid.find(7)?.eax, 1);
  assertEquals(cpuid.find(0x8000_0000)?.eax, 0x8000_0001);
  assertEquals(cpuid.find(0x4000_0000)?.eax, 0x4000_0001);
});

Deno.test("only leaves with subleaves say that the index counts", () => {
  const cpuid = new Cpuid().set(1, { eax: 1 }).set(4, { eax: 2 }, 0).set(4, { eax: 3 }, 1);
  assertEquals(cpuid.find(1)?.flags, 0);
  assertEquals(cpuid.find(4)?.flags, CpuidFlag.SIGNIFCANT_INDEX);
  assertEquals([0, 1, 2].map((at) => cpuid.find(4, at)?.eax), [2, 3, undefined]);
  assertEquals(cpuid.find(1, 99)?.eax, 1);
});

Deno.test("set changes the registers that it is given, mask the bits that it is not", () => {
  const cpuid = new Cpuid().set(1, { eax: 0xff, edx: 0x8000_0001 }).set(1, { ebx: 5 });
  const { eax, ebx, ecx, edx } = cpuid.find(1)!;
  assertEquals([eax, ebx, ecx, edx], [0xff, 5, 0, 0x8000_0001]);
  cpuid.mask(1, { edx: 0x8000_0000 }).mask(0x99, { eax: 0 });
  assertEquals([cpuid.find(1)?.eax, cpuid.find(1)?.edx], [0xff, 0x8000_0000]);
  assertEquals(cpuid.find(0x99), undefined);
});

Deno.test("numbers that are none of 32 bits are refused", () => {
  const cpuid = new Cpuid();
  assertCode("EINVAL", () => cpuid.set(1, { eax: -1 }));
  assertCode("EINVAL", () => cpuid.set(1, { eax: 2 ** 32 }));
  assertCode("EINVAL", () => cpuid.set(1.5, {}));
  assertCode("EINVAL", () => cpuid.set(4, {}, -1));
  assertEquals(cpuid.entries, []);
});

Deno.test("remove and limit take leaves out", () => {
  const cpuid = new Cpuid().set(4, {}, 0).set(4, {}, 1).set(0xb, {}).set(0x8000_0008, {});
  assertEquals(places(cpuid.clone().remove(4, 1)), [
    "0.0",
    "4.0",
    "b.0",
    "80000000.0",
    "80000008.0",
  ]);
  assertEquals(places(cpuid.clone().remove(4)), ["0.0", "b.0", "80000000.0", "80000008.0"]);
  const limited = cpuid.clone().limit(4);
  assertEquals([limited.maxLeaf, limited.find(0xb)], [4, undefined]);
  assertEquals(limited.find(0x8000_0000)?.eax, 0x8000_0008);
  assertEquals(limited.limit(0x10).maxLeaf, 4);
});

Deno.test("the entries given are copied, and so are a clone's", () => {
  const entry = { function: 1, index: 0, flags: 0, eax: 1, ebx: 0, ecx: 0, edx: 0 };
  const cpuid = new Cpuid([entry]);
  cpuid.clone().set(1, { eax: 9 });
  entry.eax = 5;
  assertEquals(cpuid.find(1)?.eax, 1);
});

Deno.test("a feature that is turned on brings its leaf, and its range's", () => {
  const cpuid = new Cpuid().enable("avx_vnni", "kvm_steal_time", "pdpe1gb");
  assertEquals(cpuid.features, ["hypervisor", "avx_vnni", "pdpe1gb", "kvm_steal_time"]);
  assertEquals(cpuid.find(7)?.eax, 1);
  assertEquals(cpuid.hypervisor, "KVMKVMKVM");
  assertEquals(cpuid.disable("avx_vnni").has("avx_vnni"), false);
  assertCode("ENOENT", () => cpuid.enable("avx_vnni2"));
  assertCode("ENOENT", () => cpuid.has("nothing"));
});

Deno.test("on AMD's processors leaf 0x80000001 repeats what leaf 1 has", () => {
  const cpuid = amd().disable("fxsr");
  assertEquals(cpuid.enable("fxsr").find(0x8000_0001)!.edx & 1 << 24, 1 << 24);
  assertEquals(cpuid.disable("fxsr").find(0x8000_0001)!.edx & 1 << 24, 0);
  const intel = Cpuid.baseline().disable("fxsr").enable("fxsr");
  assertEquals(intel.find(0x8000_0001)!.edx & 1 << 24, 0);
  assertEquals(cpuid.find(0x8000_0000)!.ebx, cpuid.find(0)!.ebx);
});

Deno.test("prune clears what needs a feature that is off, and its extended state", () => {
  const cpuid = Cpuid.baseline().enable(
    "pni",
    "xsave",
    "avx",
    "avx2",
    "avx512f",
    "avx512vl",
    "fma",
  );
  cpuid.set(0xd, { eax: 0xe7 }).set(0xd, { eax: 256 }, 2).set(0xd, { eax: 64 }, 5);
  assertEquals(cpuid.clone().prune(), []);
  const without = cpuid.clone().disable("avx2");
  assertEquals(without.prune().toSorted(), ["avx512f", "avx512vl"]);
  assertEquals([without.find(0xd)?.eax, without.find(0xd, 5)], [7, undefined]);
  assertEquals(cpuid.disable("xsave").prune().toSorted(), [
    ...["avx", "avx2", "avx512f", "avx512vl", "fma"],
  ]);
  assertEquals(cpuid.find(0xd)?.eax, 3);
});

Deno.test("vendor, brand, signature and hypervisor come back as set", () => {
  const cpuid = amd();
  cpuid.brand = "x".repeat(47);
  cpuid.signature = { family: 0x19, model: 1, stepping: 1 };
  assertEquals([cpuid.vendor, cpuid.brand], ["AuthenticAMD", "x".repeat(47)]);
  assertEquals(cpuid.find(1)?.eax, 0x00a0_0f11);
  assertEquals(cpuid.find(0x8000_0001)?.eax, 0x00a0_0f11);
  assertCode("EINVAL", () => cpuid.vendor = "AMD");
  assertCode("EINVAL", () => cpuid.brand = "x".repeat(48));
  assertCode("EINVAL", () => cpuid.hypervisor = "thirteen char");
  assertEquals(cpuid.vendor, "AuthenticAMD");
  assertEquals(new Cpuid().vendor, "");
  assertEquals(new Cpuid().hypervisor, undefined);
});

Deno.test("another hypervisor's name hides KVM's features, the same one keeps them", () => {
  const cpuid = Cpuid.baseline().enable("kvm_clock2");
  cpuid.hypervisor = "KVMKVMKVM";
  assert(cpuid.has("kvm_clock2"));
  cpuid.hypervisor = "Other";
  assert(!cpuid.has("kvm_clock2") && cpuid.has("hypervisor"));
  assertEquals(places(cpuid).filter((place) => place.startsWith("4000")), ["40000000.0"]);
  cpuid.hypervisor = undefined;
  assert(!cpuid.has("hypervisor"));
  assertEquals(cpuid.hypervisor, undefined);
});

Deno.test("AMD's topology is in each of the leaves that tell it", () => {
  const topology = { threads: 2, cores: 4, sockets: 2 };
  const id = apicIdOf(11, topology);
  assertEquals(id, 0b1_01_1);
  const cpuid = amd().setTopology(id, topology);
  assertEquals(cpuid.find(1)!.ebx >>> 16, 0xb08);
  assert(cpuid.has("ht") && cpuid.has("cmp_legacy"));
  assertEquals(cpuid.find(0x8000_0008)!.ecx, 0x3007);
  const { eax, ebx, ecx } = cpuid.find(0x8000_001e)!;
  assertEquals([eax, ebx, ecx], [id, 0x101, 1]);
  // Two threads share a core's caches, eight a socket's.
  const sharing = [0, 2, 3, 4].map((at) => cpuid.find(0x8000_001d, at)!.eax >>> 14);
  assertEquals(sharing, [1, 1, 7, 0]);
  assertEquals(cpuid.find(0x1f), undefined);

  cpuid.setTopology(0);
  assert(!cpuid.has("ht") && !cpuid.has("cmp_legacy"));
  assertEquals(cpuid.find(1)!.ebx >>> 16, 1);
  assertEquals(cpuid.find(0x8000_0008)!.ecx, 0);
});

Deno.test("Intel's topology is in each of the leaves that tell it", () => {
  const topology = { threads: 2, cores: 3 };
  const cpuid = Cpuid.baseline().set(0x1f, {}).set(4, { eax: 0x121 }).set(4, { eax: 0x163 }, 1);
  cpuid.setTopology(5, topology);
  assertEquals(cpuid.find(1)!.ebx >>> 16, 0x508);
  for (const leaf of [0xb, 0x1f]) {
    const levels = [0, 1, 2].map((at) => cpuid.find(leaf, at)!);
    assertEquals(levels.map(({ eax }) => eax), [1, 3, 0]);
    assertEquals(levels.map(({ ebx }) => ebx), [2, 6, 0]);
    assertEquals(levels.map(({ ecx }) => ecx), [0x100, 0x201, 2]);
    assertEquals(levels.map(({ edx }) => edx), [5, 5, 5]);
  }
  // EAX[31:26] is the most cores, EAX[25:14] the most threads that share the cache.
  assertEquals([0, 1].map((at) => cpuid.find(4, at)!.eax >>> 14), [3 << 12 | 1, 3 << 12 | 7]);
});

Deno.test("a topology's own ids alone are taken", () => {
  const cpuid = Cpuid.baseline();
  const topology = { cores: 3, sockets: 2 };
  for (const id of [0, 1, 2, 4, 5, 6]) cpuid.setTopology(id, topology);
  for (const id of [3, 7, 8, -1, 0.5, 2 ** 31]) {
    assertCode("EINVAL", () => cpuid.setTopology(id, topology), `${id}`);
  }
  assertCode("EINVAL", () => Cpuid.baseline({ id: 1 }));
});

Deno.test("a difference is a line: features as models have them, then other bits", () => {
  const one = Cpuid.baseline();
  const other = one.clone().disable("pge").enable("avx", "osxsave").set(1, { ebx: 0x0200_0800 });
  assertEquals(one.diff(other), [
    "+osxsave (KVM keeps it in step with the guest)",
    "+avx",
    "-pge",
    "0x1 ebx: 0x00010800 -> 0x02000800",
  ]);
  assertEquals(one.diff(one.clone()), []);
  assertEquals(one.diff(one.clone().set(0xb, { eax: 3 }, 5)), [
    "0xb.5 eax: 0x00000000 -> 0x00000003",
  ]);
  assertEquals(new Cpuid().diff(new Cpuid().set(0, {})), []);
});

Deno.test("a model may add TSC deadlines where only the capability tells of them", () => {
  const plain = Cpuid.baseline();
  const host = hostOf(plain, undefined, [Cap.TSC_DEADLINE_TIMER]);
  for (const base of ["host", "baseline"]) {
    const model = `${base},+tsc-deadline`;
    assertEquals(plain.diff(Cpuid.fromModel(host, model)), ["+tsc_deadline_timer"]);
    assertCode("EOPNOTSUPP", () => Cpuid.fromModel(host, model, { irqchip: false }));
    assertCode("EOPNOTSUPP", () => Cpuid.fromModel(hostOf(plain), model));
  }
  assertEquals(plain.diff(Cpuid.fromModel(host, "host")), []);
  assertEquals(plain.diff(Cpuid.fromModel(host, "host,-tsc-deadline")), []);
});

Deno.test("a model starts from the host or the baseline, and asks the host for what it adds", () => {
  const host = Cpuid.baseline().enable("pni", "xsave", "avx", "avx2", "x2apic");
  const source = hostOf(host, new Cpuid().enable("movbe"));
  const model = (text: string) => Cpuid.fromModel(source, text);
  assertEquals(model("host").entries, host.entries);
  assertEquals(host.diff(model("host,-x2apic")), ["-x2apic"]);
  assertEquals(host.diff(model("host,-avx")), ["-avx", "-avx2"]);
  assertEquals(host.diff(model("host,+movbe")), ["+movbe"]);
  assertEquals(Cpuid.baseline().diff(model("baseline,+x2apic")), ["+x2apic"]);
  assertEquals(model("host,vendor=DenoDenoDeno").vendor, "DenoDenoDeno");
  assertEquals(model("host,level=1").maxLeaf, 1);
  assertEquals(model("host,stepping=2").signature, { family: 15, model: 6, stepping: 2 });
  assertCode("EOPNOTSUPP", () => model("host,+sha_ni"));
  const { hint = "" } = assertCode("EOPNOTSUPP", () => model("host,-avx,+avx2"));
  assert(hint.includes("needs one that the model turns off"), hint);
});
