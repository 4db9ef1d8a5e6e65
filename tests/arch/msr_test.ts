import { assert, assertEquals, assertMatch } from "@std/assert";
import { MSR, msrName } from "../../src/arch/x86/mod.ts";
import { Kvm } from "../../src/kvm/mod.ts";

Deno.test("An MSR goes by its own name, one of a row by its number in it", () => {
  const names = [0xc0000080, 0x10, 0x401, 0x406, 0x20f, 0x830, 0x812, 0x400000b3, 0xc0010205];
  assertEquals(names.map(msrName), [
    ...["EFER", "TSC", "MC0_STATUS", "MC1_ADDR", "MTRR_PHYSMASK7", "X2APIC_ICR", "X2APIC_ISR2"],
    ...["HV_STIMER1_COUNT", "PERF_CTR2"],
  ]);
  assertEquals(msrName(0x800), "X2APIC_0");
  assertEquals(msrName(0x1234), "0x1234");
});

Deno.test("The first of a row has the name that the row gives it", () => {
  for (const [name, index] of Object.entries(MSR)) {
    if (name === "X2APIC_FIRST") continue;
    assertEquals(msrName(index), name);
  }
});

Deno.test("Every MSR that KVM lists has a name", () => {
  using kvm = Kvm.open();
  const listed = [...kvm.getMsrIndexList(), ...kvm.getMsrFeatureIndexList()];
  assert(listed.length > 20);
  for (const index of listed) assertMatch(msrName(index), /^[A-Z]/, `0x${index.toString(16)}`);
});
