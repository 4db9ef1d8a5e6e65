import { assertEquals } from "@std/assert";
import { tree } from "../../../tools/nested/nested.ts";
import { findKvmUsers, reaching } from "../../../tools/nested/uses_kvm.ts";

Deno.test("what leads to a module is found through any number of imports", () => {
  const module = (specifier: string, ...imports: string[]) => ({
    specifier,
    dependencies: imports.map((specifier) => ({ code: { specifier } })),
  });
  const modules = [
    module("a", "b"),
    module("b", "target", "a"),
    module("c", "d"),
    { specifier: "d", dependencies: [{}] },
    { specifier: "target" },
  ];
  assertEquals([...reaching({ modules }, ["target"])].sort(), ["a", "b", "target"]);
});

Deno.test("this project's tests of the processor's tables have nothing to do with KVM", async () => {
  const tests = [
    "tests/arch/cpuid_test.ts",
    "tests/kvm/cpuid_test.ts",
    "tests/cli/run/start_test.ts",
  ];
  const usesKvm = await findKvmUsers(tree, tests);
  assertEquals(tests.map(usesKvm), [false, true, true]);
});
