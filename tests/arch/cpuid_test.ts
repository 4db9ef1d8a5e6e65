import { assert, assertEquals, assertGreater } from "@std/assert";
import {
  apicIdOf,
  cpuidFeature,
  cpuidFeatures,
  cpuidLeafName,
  parseCpuModel,
} from "../../src/arch/x86/mod.ts";
import {
  decodeSignature,
  decodeText,
  encodeSignature,
  encodeText,
  featureNeeds,
  rangeOf,
  stateOf,
} from "../../src/arch/x86/cpuid/mod.ts";
import { assertCode } from "../support/codes.ts";

Deno.test("No two features share a name or a bit", () => {
  const names = cpuidFeatures.map(({ name }) => name);
  const places = cpuidFeatures.map(({ leaf, subleaf, register, bit }) =>
    `${leaf}.${subleaf}.${register}.${bit}`
  );
  assertGreater(names.length, 250);
  assertEquals(new Set(names).size, names.length);
  assertEquals(new Set(places).size, places.length);
});

Deno.test("Features' bits are where the manuals have them", () => {
  const place = (name: string) => {
    const { leaf, subleaf, register, bit } = cpuidFeature(name);
    return `${leaf.toString(16)}.${subleaf} ${register} ${bit}`;
  };
  assertEquals(place("x2apic"), "1.0 ecx 21");
  assertEquals(place("sse2"), "1.0 edx 26");
  assertEquals(place("avx512f"), "7.0 ebx 16");
  assertEquals(place("umip"), "7.0 ecx 2");
  assertEquals(place("arch_capabilities"), "7.0 edx 29");
  assertEquals(place("avx_vnni"), "7.1 eax 4");
  assertEquals(place("xsaves"), "d.1 eax 3");
  assertEquals(place("pdpe1gb"), "80000001.0 edx 26");
  assertEquals(place("svm"), "80000001.0 ecx 2");
  assertEquals(place("kvm_clock"), "40000001.0 eax 0");
  assertEquals(cpuidFeature("hypervisor").mask, 0x8000_0000);
});

Deno.test("Every flag of /proc/cpuinfo that CPUID tells is known", () => {
  const flags = /^flags\s*:\s*(.*)$/m.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1] ?? "";
  // What Linux finds out in other ways: by model, by MSR, from several leaves, or about itself.
  const linux = new Set([
    ..."rep_good nopl xtopology cpuid extd_apicid amd_dcm tsc_known_freq tsc_reliable art".split(
      " ",
    ),
    ..."nonstop_tsc_s3 arch_perfmon pebs bts up rapl lbrv vmmcall ring3mwait cpuid_fault".split(
      " ",
    ),
    ..."invpcid_single pti ibrs ibpb stibp ssbd ibrs_enhanced tpr_shadow flexpriority ept".split(
      " ",
    ),
    ..."vpid ept_ad vnmi split_lock_detect tdx_guest user_shstk overflow_recov svme_addr_chk".split(
      " ",
    ),
    ..."cat_l3 cat_l2 cdp_l3 cdp_l2 mba smba bmec cqm_llc cqm_occup_llc cqm_mbm_total".split(" "),
    ..."cqm_mbm_local per_thread_mba nonstop_tsc debug_swap abmc coherency_sfw_no".split(" "),
  ]);
  const names = flags.split(" ").filter((flag) => flag !== "" && !linux.has(flag));
  assertGreater(names.length, 20);
  for (const name of names) assertEquals(cpuidFeature(name).name, name);
});

Deno.test("Other spellings of a feature find it", () => {
  const found = ["SSE4.1", "lzcnt", "tsc-deadline", "xd", "kvm-steal-time", "SSE3"].map((name) =>
    cpuidFeature(name).name
  );
  assertEquals(found, ["sse4_1", "abm", "tsc_deadline_timer", "nx", "kvm_steal_time", "pni"]);
});

Deno.test("An unknown feature's error has those like it", () => {
  const { hint } = assertCode("ENOENT", () => cpuidFeature("x2apik"));
  assertEquals(hint, "Did you mean x2apic or x2avic?");
  assertCode("ENOENT", () => cpuidFeature(""));
  assertCode("ENOENT", () => cpuidFeature("toString"));
  assertCode("ENOENT", () => cpuidFeature("__proto__"));
});

Deno.test("Features' needs end somewhere", () => {
  for (const { name } of cpuidFeatures) {
    const seen = new Set<string>();
    for (let needs = [...featureNeeds(name)]; needs.length > 0;) {
      for (const needed of needs) seen.add(needed);
      assert(!seen.has(name), `${name} needs itself`);
      needs = needs.flatMap(featureNeeds);
    }
  }
  assertEquals(featureNeeds("avx512f"), ["avx2"]);
  for (const [bit, feature] of stateOf) assert(bit > 1 && cpuidFeature(feature));
});

Deno.test("Signatures of known processors are taken apart and put together", () => {
  for (
    const [eax, family, model, stepping] of [
      [0x00a00f11, 0x19, 1, 1], // AMD Milan
      [0x000806f8, 6, 0x8f, 8], // Intel Sapphire Rapids
      [0x00000f61, 15, 6, 1], // QEMU's kvm64
      [0x00000543, 5, 4, 3], // Pentium MMX
    ] as const
  ) {
    assertEquals(decodeSignature(eax), { family, model, stepping });
    assertEquals(encodeSignature({ family, model, stepping }), eax);
  }
  assertCode("EINVAL", () => encodeSignature({ family: 271, model: 0, stepping: 0 }));
  assertCode("EINVAL", () => encodeSignature({ family: 5, model: 16, stepping: 0 }));
  assertCode("EINVAL", () => encodeSignature({ family: 6, model: 1, stepping: 1.5 }));
});

Deno.test("Text in registers comes back without what fills it up", () => {
  assertEquals(encodeText("name", "KVMKVMKVM", 3), [0x4b4d564b, 0x564b4d56, 0x4d]);
  assertEquals(decodeText([0x4b4d564b, 0x564b4d56, 0x4d]), "KVMKVMKVM");
  assertEquals(decodeText([0x20202020, 0x00206968]), "hi");
  assertCode("EINVAL", () => encodeText("name", "thirteen char", 3));
  assertCode("EINVAL", () => encodeText("name", "naïve", 3));
});

Deno.test("Leaves belong to the range whose first tells the highest", () => {
  assertEquals(
    [0, 0x24, 0x4000_0001, 0x4000_0110, 0x8000_001e, 0xc000_0001].map(rangeOf),
    [0, 0, 0x4000_0000, 0x4000_0000, 0x8000_0000, 0xc000_0000],
  );
  assertEquals(cpuidLeafName(0xb), "topology");
  assertEquals(cpuidLeafName(0x99), undefined);
});

Deno.test("APIC ids have gaps where counts are no powers of two", () => {
  const topology = { threads: 2, cores: 3, sockets: 2 };
  const ids = Array.from({ length: 12 }, (_, at) => apicIdOf(at, topology));
  assertEquals(ids, [0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13]);
  assertEquals(apicIdOf(0, {}), 0);
  assertCode("EINVAL", () => apicIdOf(12, topology));
  assertCode("EINVAL", () => apicIdOf(-1, topology));
  assertCode("EINVAL", () => apicIdOf(0, { cores: 0 }));
  assertCode("EINVAL", () => apicIdOf(0, { cores: 2 ** 20, sockets: 2 ** 12 }));
});

Deno.test("A CPU model's text is taken apart, and the later of two wishes holds", () => {
  assertEquals(parseCpuModel("host"), { base: "host", enable: [], disable: [] });
  assertEquals(
    parseCpuModel("host,-avx512f,+x2apic,sse4.1=off,model-id=Our CPU,level=0xd,family=6"),
    {
      base: "host",
      enable: ["x2apic"],
      disable: ["avx512f", "sse4_1"],
      brand: "Our CPU",
      maxLeaf: 13,
      family: 6,
    },
  );
  assertEquals(parseCpuModel("baseline,+avx,-avx,+AVX").enable, ["avx"]);
  assertEquals(parseCpuModel("baseline, vendor=AuthenticAMD").vendor, "AuthenticAMD");
});

Deno.test("A CPU model that makes no sense is refused with what would", () => {
  for (
    const [text, hint] of [
      ["", 'It begins with "host" or "baseline", not ""'],
      ["qemu64", 'It begins with "host" or "baseline", not "qemu64"'],
      ["host,avx", '"avx" is neither +feature, -feature nor key=value'],
      ["host,+avx=on", '"+avx=on" is neither +feature, -feature nor key=value'],
      ["host,avx=yes", 'A feature is "on" or "off", not "yes"'],
      ["host,family=", "family is a number"],
      ["host,family=six", "family is a number"],
    ] as const
  ) {
    assertEquals(assertCode("EINVAL", () => parseCpuModel(text), text).hint, hint);
  }
  assertCode("ENOENT", () => parseCpuModel("host,+"));
  assertCode("ENOENT", () => parseCpuModel("host,constructor=on"));
});
