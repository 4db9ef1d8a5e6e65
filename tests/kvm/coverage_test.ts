import { assert, assertEquals, assertGreater } from "@std/assert";
import { Cap, ioctls } from "../../ffi/uapi/mod.ts";
import * as api from "../../src/kvm/mod.ts";
import { coverage, document, scanSources, withoutMethod } from "../../tools/api_coverage.ts";
import { type Method, scan } from "../../tools/api_scan.ts";
import { commentsOf } from "../../tools/meanings.ts";
import { root } from "../support/subprocess.ts";

const found = scanSources();

function called(methods: readonly Method[] = []): string[] {
  return methods.map(({ owner, name }) => `${owner}.${name}`);
}

Deno.test("every ioctl has a method on every layer that takes it, or a reason why not", () => {
  const missing = coverage(found)
    .filter(({ name, methods }) => methods.length === 0 && !(name in withoutMethod))
    .map(({ name, layer }) => `${name} on ${layer}`);
  assertEquals(missing, []);
  for (const [name, reason] of Object.entries(withoutMethod)) {
    assert(name in ioctls, `${name} is no ioctl`);
    assert(reason.length > 10, name);
    assertEquals(called(found.ioctls.get(name)), [], `${name} has a method by now`);
  }
});

Deno.test("every capability that can be turned on has a method that does", () => {
  const text = Deno.readTextFileSync(new URL("ffi/uapi/caps.ts", root));
  const switches = commentsOf(text, "Cap").filter(([, meaning]) => /\bEnable:/.test(meaning));
  assertGreater(switches.length, 20);
  assertEquals(switches.map(([name]) => name).filter((name) => !found.enables.has(name)), []);
  for (const name of found.enables.keys()) assert(name in Cap, name);
});

Deno.test("the methods that were found are there", () => {
  const classes: Readonly<Record<string, unknown>> = { ...api };
  for (const methods of [...found.ioctls.values(), ...found.enables.values()]) {
    for (const { owner, name, isStatic } of methods) {
      const there = classes[owner];
      assert(typeof there === "function", owner);
      assert(name in (isStatic ? there : there.prototype), `${owner}.${name}`);
    }
  }
});

Deno.test("the search finds what is known, in each of the ways that there are", () => {
  const of = (name: string) => called(found.ioctls.get(name));
  assertEquals(of("KVM_GET_REGS"), ["Vcpu.getRegs"]); // in the method
  assertEquals(of("KVM_GET_CPUID2"), ["Vcpu.getCpuid"]); // as a function's argument
  assertEquals(of("KVM_SET_CPUID2"), ["Vcpu.setCpuid"]); // in a function
  assert(of("KVM_RUN").includes("Vcpu.run")); // in a constant
  assert(of("KVM_SET_USER_MEMORY_REGION").includes("Vm.addMemory")); // in a private method
  assertEquals(of("KVM_GET_API_VERSION"), ["Kvm.open"]); // in a constructor
  assertEquals(called(found.enables.get("SPLIT_IRQCHIP")), ["Vm.splitIrqchip"]);
});

Deno.test("comments, types and internal members make no ioctls", () => {
  const { ioctls, enables } = scan({
    "a.ts": `import { helper } from "./b.ts";
/** KVM.KVM_IN_COMMENT */
type T = typeof KVM.KVM_IN_TYPE;
abstract class Base {
  inherited(): void {
    this.handle.call(KVM.KVM_INHERITED);
  }
}
export class Vm extends Base {
  /** KVM.KVM_IN_COMMENT */
  own(): void {
    // KVM.KVM_IN_COMMENT
    helper(this.handle);
    this.other();
  }
  /** @internal */
  hidden(): void {
    this.handle.call(KVM.KVM_HIDDEN);
  }
  other(): void {
    this.#secret({
      a: 1,
    });
    if (this.check(Cap.ASKED)) this.enableCap(Cap.TURNED_ON);
  }
  #secret(): void {
    this.handle.call(KVM.KVM_SECRET);
  }
}
class Unexported {
  method(): void {
    this.handle.call(KVM.KVM_UNEXPORTED);
  }
}
`,
    "b.ts": `export function helper(fd: Fd): void {
  fd.call(KVM.KVM_HELPER);
}
`,
  }, new Set(["Vm"]));
  assertEquals(Object.fromEntries([...ioctls].map(([name, methods]) => [name, called(methods)])), {
    KVM_HELPER: ["Vm.own"],
    KVM_SECRET: ["Vm.other"],
    KVM_INHERITED: ["Vm.inherited"],
  });
  assertEquals([...enables.keys()], ["TURNED_ON"]);
});

Deno.test("docs/api-coverage.md is up to date", () => {
  const text = Deno.readTextFileSync(new URL("docs/api-coverage.md", root));
  assert(text === document(found), "run deno task coverage-docs");
});
