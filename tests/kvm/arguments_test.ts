/**
 * Arguments of wrong types, which the compiler refuses and a script may still give: each is a
 * `KvmError` that says what is wrong, and no TypeError from inside.
 */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { KvmError } from "../../ffi/mod.ts";
import { longMode, pagedMode, protectedMode, realMode } from "../../src/boot/mod.ts";
import * as arch from "../../src/arch/x86/mod.ts";
import { LapicRegisters, XsaveArea } from "../../src/arch/x86/mod.ts";
import * as core from "../../src/kvm/mod.ts";
import { Cpuid, EventFd, Kvm } from "../../src/kvm/mod.ts";
import { assertCode } from "../support/codes.ts";
import { bare, supportedCpuid } from "../support/machine.ts";
import { sample } from "../support/rounds.ts";

// deno-lint-ignore no-explicit-any -- what the types forbid
type Anything = any;

const wrong: readonly Anything[] = sample([
  ...[null, -1, 0.5, NaN, 2 ** 53, "text", 1n, -1n, 1n << 70n, true, () => {}],
  ...[{}, [], [5], [[1, 2]], ["x"], [null], new Uint8Array(3), { length: -1 }],
  ...[{ size: "x" }, { rip: 5 }, { cs: 5 }, { addr: {} }, { allow: 5 }, { events: [null] }],
  ...[Symbol("s"), Object.create(null), -0, "toString", { toString: true }, new Array(2 ** 32 - 1)],
  {
    toString() {
      throw new Error("a value was made text");
    },
    valueOf() {
      throw new Error("a value was made a number");
    },
  },
]);

/** Classes whose objects come from methods alone. */
const made =
  /^(Vm|Vcpu|Kvm$|KvmObject|Coalesced|Connection|Device|Dirty|GuestMemfd|StatsFd|Exit|IoExit|MmioExit|Internal|RunPage|Synced)/;

/** What ends or blocks the object, takes a handler, or is for the library alone. */
const left =
  /^(constructor|close|run|runAsync|wait|hold|lend|share|setRegion|deleteRegions|mapDirtyRing|memoryOf|find|fail|connect|disconnect|refuseOverlap|need|drain)$/;

/** Every method and setter of an object with every wrong argument; what was thrown. */
function* thrown(object: object): Generator<[what: string, error: unknown]> {
  for (let at = object; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const [name, { set, value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      const method = set ?? value;
      if (left.test(name) || typeof method !== "function") continue;
      for (const one of wrong) {
        for (const other of [undefined, one, 0n]) {
          try {
            method.call(object, one, other);
          } catch (error) {
            yield [`${name}(${Deno.inspect(one)}, ${Deno.inspect(other)})`, error];
          }
        }
      }
    }
  }
}

Deno.test("every method of KVM's objects refuses every wrong argument by a KvmError", () => {
  using machine = bare();
  const { vm, vcpu, memory } = machine;
  using kvm = Kvm.open();
  using event = new EventFd({ initial: 1 });
  using tracker = vm.trackDirty();
  const objects: Record<string, object> = {
    kvm,
    vm,
    vcpu,
    memory,
    all: vm.memory,
    tracker,
    cpuid: supportedCpuid(),
    event,
    syncRegs: vcpu.syncRegs,
    xsave: new XsaveArea(vcpu.getXsave(), supportedCpuid().entries),
    lapic: new LapicRegisters({ regs: new Uint8Array(1024) }),
  };
  for (const [name, object] of Object.entries(objects)) {
    let refused = 0;
    for (const [what, error] of thrown(object)) {
      assert(error instanceof KvmError, `${name}.${what}: ${error}`);
      refused++;
    }
    assert(refused > 0 || object === tracker, name);
  }
});

Deno.test("every function and class of the core refuses every wrong argument by a KvmError", () => {
  for (const [name, value] of Object.entries({ ...arch, ...core })) {
    // deno-lint-ignore ban-types -- whatever it takes
    const callee = value as Function;
    if (typeof callee !== "function" || made.test(name)) continue;
    for (const one of wrong) {
      for (const other of [undefined, one]) {
        try {
          if (/^class/.test(String(callee))) Reflect.construct(callee, [one, other]);
          else callee(one, other);
        } catch (error) {
          const what = `${name}(${Deno.inspect(one)}, ${Deno.inspect(other)})`;
          assert(error instanceof KvmError, `${what}: ${error}`);
        }
      }
    }
  }
});

Deno.test("what is awaited refuses wrong options by a KvmError, too", async () => {
  using machine = bare();
  using event = new EventFd();
  for (const options of [null, 5, "text"] as Anything[]) {
    assertEquals(
      (await assertRejects(() => machine.vcpu.runAsync(options), KvmError)).code,
      "EINVAL",
    );
    assertEquals((await assertRejects(() => event.wait(options), KvmError)).code, "EINVAL");
    assertCode("EINVAL", () => new EventFd(options));
  }
});

Deno.test("every start refuses options that are none", () => {
  using machine = bare();
  const { vcpu, memory } = machine;
  for (const start of [realMode, protectedMode, pagedMode, longMode]) {
    for (const options of wrong) {
      assertCode("EINVAL", () => start(vcpu, memory, options), start.name);
    }
    const code = Uint8Array.of(0xf4);
    for (const registers of [5, null, { rax: 5 }, { rip: 5n }] as Anything[]) {
      assertCode("EINVAL", () => start(vcpu, memory, { code, registers }), start.name);
    }
    assertCode("EINVAL", () => start(vcpu, memory, { code, avoid: [null] as Anything }));
  }
});

Deno.test("a list without end is refused before anybody goes through it", () => {
  using machine = bare(1 << 20, (vm) => vm.createIrqchip());
  const { vm, vcpu } = machine;
  // It costs nothing until it is copied.
  const holes: Anything = new Array(2 ** 32 - 1);
  const calls: Record<string, () => void> = {
    setMsrFilter: () => vm.setMsrFilter({ deny: holes }),
    setGsiRouting: () => vm.setGsiRouting(holes),
    setPmuEventFilter: () => vm.setPmuEventFilter({ action: "allow", events: holes }),
    trackDirty: () => vm.trackDirty(holes),
    setCpuid: () => vcpu.setCpuid({ entries: holes } as Anything),
    Cpuid: () => new Cpuid(holes),
    getMsrs: () => vcpu.getMsrs(holes),
    setMsrs: () => vcpu.setMsrs(holes),
    setSignalMask: () => vcpu.setSignalMask(holes),
    setGuestDebug: () => vcpu.setGuestDebug({ breakpoints: holes }),
    setSregs: () => vcpu.setSregs({ interruptBitmap: holes }),
  };
  for (const [name, call] of Object.entries(calls)) {
    const { code } = assertThrows(call, KvmError, "", name);
    assert(code === "EINVAL" || code === "E2BIG", `${name}: ${code}`);
  }
  function* forever() {
    for (;;) yield 1;
  }
  assertCode("E2BIG", () => vcpu.setSignalMask(forever()));
});

Deno.test("the error names the field and what it should be", () => {
  using machine = bare();
  const { vm, vcpu } = machine;
  const cases: readonly [call: () => void, message: string][] = [
    [() => vcpu.setRegs({ rip: 4096 } as Anything), "rip is a bigint: 4096n"],
    [() => vcpu.setSregs({ cs: 5 } as Anything), "use 5 as cs: EINVAL. cs is an object with base"],
    [() => vcpu.setSregs({ cs: { base: 0 } } as Anything), "cs.base is a bigint: 0n"],
    [() => vcpu.setRegs(null as Anything), "fields is an object with rax, rbx"],
    [() => vcpu.setMsr(0x10, 5 as Anything), "is a bigint from 0 to 2^64 - 1, not 5"],
    [
      () => vm.addMemory({ size: "4096" } as Anything),
      'multiple of 4096, at least one, not "4096"',
    ],
    [() => vm.addMemory(null as Anything), "is an object, not null"],
    [() => vm.irqfd({} as Anything, 5), "The event is an EventFd, not an object"],
    [() => vm.removeMemory({} as Anything), "The slot is a MemorySlot"],
    [() => vcpu.run(5 as Anything), "is an object, not 5"],
  ];
  for (const [call, message] of cases) {
    assertStringIncludes(assertCode("EINVAL", call).message, message);
  }
  assertEquals(vcpu.getRegs().rip, 0xfff0n);
});
