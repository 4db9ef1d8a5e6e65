/**
 * Views of structs in the wrong hands: the kernel writes as many bytes as the struct has, wherever
 * that is.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { bytesOf, sizeOf } from "../../ffi/mod.ts";
import { kvmRegs, kvmSregs } from "../../ffi/uapi/mod.ts";
import { assertCode } from "../support/codes.ts";
import { bare } from "../support/machine.ts";
import { survives } from "./survives.ts";

// deno-lint-ignore no-explicit-any -- what the types forbid
type Anything = any;

Deno.test("a getter that is given anything but a view of its struct refuses it", () => {
  using machine = bare();
  const { vcpu } = machine;
  const regs = vcpu.getRegs();
  const sregs = vcpu.getSregs();
  const wrong: Anything[] = [
    {},
    [],
    5,
    "text",
    new Uint8Array(4),
    new ArrayBuffer(1000),
    Object.create(Object.getPrototypeOf(regs)),
    { ...regs },
  ];
  for (const [index, into] of wrong.entries()) {
    const what = `no. ${index}`;
    assertThrows(() => vcpu.getRegs(into), Error, "", what);
    assertThrows(() => vcpu.getSregs(into), Error, "", what);
    assertThrows(() => vcpu.getFpu(into), Error, "", what);
  }
  assertThrows(() => vcpu.getSregs(regs as Anything));
  assertThrows(() => vcpu.getFpu(regs as Anything));
  assertThrows(() => vcpu.getRegs(sregs as Anything));
  assertThrows(() => vcpu.getRegs(sregs.cs as Anything));
});

Deno.test("no view can be given another one's bytes, which the kernel would write past", () => {
  using machine = bare();
  const { vcpu } = machine;
  const sregs = vcpu.getSregs();
  const attempts: ((target: object) => void)[] = [
    (target) => Object.assign(target, vcpu.getRegs()),
    (target) => {
      for (const key of Object.getOwnPropertySymbols(target)) {
        Reflect.set(target, key, new Uint8Array(1));
      }
    },
    (target) => {
      for (const key of Object.getOwnPropertySymbols(target)) {
        Object.defineProperty(target, key, { value: new Uint8Array(1) });
      }
    },
  ];
  for (const attempt of attempts) {
    try {
      attempt(sregs);
    } catch (error) {
      assert(error instanceof TypeError);
    }
    assertEquals(bytesOf(sregs).length, sizeOf(kvmSregs), String(attempt));
  }
  vcpu.getSregs(sregs);
  assertEquals(sregs.cs.selector, 0xf000);
});

Deno.test("a view made by hand over too few bytes is refused", async () => {
  const stdout = await survives(`
    const { constructor } = vcpu.getRegs();
    const short = new constructor(new ArrayBuffer(8), 0, 8);
    console.log(attempt(() => vcpu.getRegs(short)) instanceof Error);
    attempt(() => vcpu.setRegs(short));`);
  assertEquals(stdout, "true\nsurvived\n");
});

Deno.test("a view whose buffer was taken away is an error for the kernel", () => {
  using machine = bare();
  const { vm, vcpu } = machine;
  const sregs = vcpu.getSregs();
  (sregs.interruptBitmap.buffer as ArrayBuffer).transfer();
  for (let turn = 0; turn < 1000; turn++) {
    assertThrows(() => vcpu.getSregs(sregs));
    assertThrows(() => vcpu.setSregs(sregs));
  }
  const slot = vm.addMemory({ size: 4096, guestPhysAddr: 0x4000_0000 });
  const view = slot.struct(kvmRegs, 0x4000_0800);
  vcpu.getRegs(view);
  vm.removeMemory(slot);
  for (let turn = 0; turn < 1000; turn++) {
    assertThrows(() => vcpu.getRegs(view));
    assertThrows(() => vcpu.setRegs(view));
  }
  assertEquals(vcpu.getRegs().rip, 0xfff0n);
});

Deno.test("fields take no odd values, and structs no odd objects", () => {
  using machine = bare();
  const { vcpu } = machine;
  const regs = vcpu.getRegs() as Anything;
  for (const value of [5, null, undefined, {}, Symbol()]) {
    assertThrows(() => regs.rax = value);
  }
  const { kvmRun } = vcpu as Anything;
  for (const value of [-1, 0.5, NaN, 2 ** 53, "5"]) {
    assertThrows(() => kvmRun.exit.mmio.physAddr = value, RangeError);
  }
  assertThrows(() => kvmRun.padding1 = new Uint8Array(100), RangeError);
  assertCode("EINVAL", () => kvmRun.exit = { nothing: 1 });
});

Deno.test("names that every object has are no fields, and are refused", () => {
  using machine = bare();
  for (const name of ["constructor", "toString", "hasOwnProperty", "__proto__"]) {
    const init = JSON.parse(`{"${name}": {}}`);
    assertCode("EINVAL", () => machine.vcpu.setRegs(init), name);
  }
});
