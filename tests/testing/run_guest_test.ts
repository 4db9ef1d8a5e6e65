import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { guests } from "../../guests/mod.ts";
import { KvmError } from "../../ffi/mod.ts";
import type { Vcpu } from "../../src/kvm/mod.ts";
import { assertGuest, GuestError, runGuest } from "../../src/testing/mod.ts";
import { unemulated } from "../support/rounds.ts";

const hlt = 0xf4;
/** mov eax, 40; add eax, ebx; hlt */
const add = Uint8Array.of(0xb8, 40, 0, 0, 0, 0x01, 0xd8, hlt);
/** jmp $ */
const spin = Uint8Array.of(0xeb, 0xfe);
/** mov eax, 0xd0000000; jmp eax, or rax: no memory is there to fetch from */
const leave = Uint8Array.of(0xb8, 0x00, 0x00, 0x00, 0xd0, 0xff, 0xe0);
/** out 0x80, al; jmp to the out */
const chatter = Uint8Array.of(0xe6, 0x80, 0xeb, 0xfc);
/** ud2 */
const ud2 = Uint8Array.of(0x0f, 0x0b);
/** in al, 0x60; mov ah, al; in al, 0x60; hlt */
const readTwice = Uint8Array.of(0xe4, 0x60, 0x88, 0xc4, 0xe4, 0x60, hlt);
/** mov eax, [0x2000]; mov ecx, [0xd0000000]; hlt (absolute addresses by mod=0, rm=4, SIB 0x25) */
const load = Uint8Array.of(
  ...[0x8b, 0x04, 0x25, 0x00, 0x20, 0x00, 0x00],
  ...[0xbb, 0x00, 0x00, 0x00, 0xd0, 0x8b, 0x0b],
  hlt,
);

Deno.test("a snippet runs with the registers given and leaves its result", () => {
  using guest = runGuest({ code: add, registers: { rbx: 2n } });
  assertEquals(guest.registers.rax, 42n);
  assertEquals(guest.exit.reason, "hlt");
  assertEquals(guest.exception, undefined);
});

Deno.test("each mode runs code of its own", () => {
  assertGuest({ code: guests.helloReal, mode: "real" }, { output: "Hello from real mode!\n" });
  assertGuest({ code: guests.helloProtected, mode: "protected" }, {
    output: "Hello from protected mode!\n",
  });
  assertGuest({ code: guests.hello }, {
    output: "Hello from long mode!\n",
    registers: { rax: 42n },
    memory: { 0x2000: [42, 0, 0, 0] },
    exits: { io: 22, hlt: 1 },
  });
});

Deno.test("memory and port input reach the guest, and silence reads as ones", () => {
  using guest = runGuest({ code: load, memory: { 0x2000: "abcd" } });
  assertEquals(guest.registers.rax, 0x64636261n);
  assertEquals(guest.registers.rcx, 0xffff_ffffn);
  assertGuest({ code: readTwice, input: { 0x60: [0x12, 0x34] } }, {
    registers: { rax: 0x1234n },
    exits: ["io", "io", "hlt"],
  });
  assertGuest({ code: readTwice }, { registers: { rax: 0xffffn } });
});

Deno.test("an mmio callback answers the guest's reads", () => {
  using guest = runGuest({
    code: load,
    mmio(exit) {
      assertEquals(exit.physAddr, 0xd000_0000);
      exit.value = 0xc0ffee;
    },
  });
  assertEquals(guest.registers.rcx, 0xc0ffeen);
});

Deno.test("code at level 3 ends like any other", () => {
  using guest = runGuest({ code: add, cpl: 3, registers: { rbx: 1n } });
  assertEquals(guest.registers.rax, 41n);
});

Deno.test("an endless loop is a clean failure that names the time limit", () => {
  const error = assertThrows(() => runGuest({ code: spin, timeLimit: 30 }), GuestError);
  assertStringIncludes(error.message, "did not end within 30 ms");
  assertStringIncludes(error.message, "RIP 0000000000001000");
});

Deno.test("an instruction that KVM can't emulate is a failure that names level 3, if not there", () => {
  const message = (options: { mode?: "protected"; cpl?: 3 }) =>
    assertThrows(() => runGuest({ code: leave, ...options }), GuestError).message.split("\n")[0]!;
  const hint = "where KVM interprets level 0, cpl: 3 has the processor run it";
  assertEquals(message({}), `KVM could not emulate the guest's instruction at RIP; ${hint}`);
  // There it may be an exception instead, as the host has it.
  assertEquals(message({ cpl: 3 }).includes(hint), false);
  assertEquals(message({ mode: "protected" }).includes(hint), false);
});

Deno.test("a guest that does nothing but exit is a clean failure that names the limit", () => {
  const error = assertThrows(
    () => runGuest({ code: chatter, exitLimit: 5 }),
    GuestError,
    "The guest made more than 5 exits",
  );
  assertEquals(error.exit.reason, "io");
  assertStringIncludes(error.message, "RIP ");
});

Deno.test(unemulated("by default, 50,000 exits are the limit"), () => {
  const run = () => runGuest({ code: chatter, timeLimit: 60_000 });
  assertThrows(run, GuestError, "The guest made more than 50000 exits");
});

Deno.test("an option that has another answer each time counts as it is checked", () => {
  let asked = 0;
  const options = {
    code: chatter,
    get exitLimit() {
      return asked++ === 0 ? 5 : 1e9;
    },
  };
  assertThrows(() => runGuest(options), GuestError, "more than 5 exits");
});

Deno.test("the exit that ends a guest does not count against the limit", () => {
  assertGuest({ code: readTwice, exitLimit: 2 }, { exits: ["io", "io", "hlt"] });
  assertThrows(() => runGuest({ code: readTwice, exitLimit: 1 }), GuestError, "more than 1 exits");
  using guest = runGuest({ code: add, exitLimit: 0 });
  assertEquals(guest.exits.length, 1);
});

Deno.test("an exception is a failure that names it, unless it is the end asked for", () => {
  const error = assertThrows(() => runGuest({ code: ud2 }), GuestError);
  assertStringIncludes(error.message, "The guest raised #UD at 0x1000");
  using guest = runGuest({ code: ud2, ends: "exception" });
  assertEquals(guest.exception?.name, "#UD");
});

Deno.test("a triple fault is a failure, unless it is the end asked for", () => {
  assertThrows(() => runGuest({ code: guests.tripleFault }), GuestError, "triple-faulted");
  using guest = runGuest({ code: guests.tripleFault, ends: ["hlt", "shutdown"] });
  assertEquals(guest.exit.reason, "shutdown");
});

Deno.test("a guest that waits for its own interrupts ends by the end port", () => {
  using guest = runGuest({
    code: guests.timer,
    setup(vm) {
      vm.createIrqchip();
      vm.createPit2();
    },
  });
  assertEquals(guest.memory.readU32(0x2000), 5);
  assertEquals(guest.written(0xf4), Uint8Array.of(5));
});

Deno.test("assertGuest lists each difference and the registers", () => {
  const error = assertThrows(
    () =>
      assertGuest({ code: guests.hello }, {
        registers: { rax: 43n, rbx: 0n },
        memory: { 0x2000: [1] },
        output: "Hello",
        written: { 0x80: "post" },
        exits: ["hlt"],
      }),
    GuestError,
  );
  for (
    const part of [
      "RAX: 0x2a, expected 0x2b",
      "RBX: 0x80010033, expected 0x0",
      "Memory at 0x2000: 2a, expected 01",
      "Written to port 0x80: nothing, expected 70 6f 73 74",
      'Output: "Hello from long mode!\\n", expected "Hello"',
      "Exits: io io",
      "RIP ",
    ]
  ) assertStringIncludes(error.message, part);
  assertThrows(
    () => assertGuest({ code: add }, { exits: { io: 1 } }),
    GuestError,
    'Exits "io": 0, expected 1',
  );
});

Deno.test("what can't be right is refused and leaves no VM behind", () => {
  const count = () => [...Deno.readDirSync("/proc/self/fd")].length;
  runGuest({ code: add })[Symbol.dispose]();
  const before = count();
  const code = add;
  assertThrows(() => runGuest({ code: new Uint8Array() }), KvmError);
  assertThrows(() => runGuest({ code, mode: "virtual" as "real" }), KvmError, "mode is");
  assertThrows(() => runGuest({ code, timeLimit: -1 }), KvmError, "time limit");
  assertThrows(() => runGuest({ code, memorySize: 5 }), KvmError, "4096");
  assertThrows(() => runGuest({ code, memory: { 0x400000: [1] } }), KvmError, "EFAULT");
  assertThrows(() => runGuest({ code: readTwice, input: { 0x60: [1] } }), KvmError, "0x60");
  assertThrows(() => runGuest({ code: spin, timeLimit: 5 }), GuestError);
  assertEquals(count(), before);
});

// deno-lint-ignore no-explicit-any -- what the types forbid
type Anything = any;

class Registers {
  get rax(): bigint {
    return 99n;
  }
}

Deno.test("options that can't be are refused by name, and nothing runs", () => {
  const code = add;
  const cases: readonly [options: Anything, message: string][] = [
    [null, "What to run is an object, not null"],
    [{ code, registrs: {} }, "What to run has no registrs, but code, mode"],
    [{ code, cpl: 3, idt: true }, "has no idt"],
    [{}, "code is a Uint8Array"],
    [{ code: [0xf4] }, "code is a Uint8Array"],
    [{ code, mode: "virtual" }, "mode is one of real"],
    [{ code, cpl: 1 }, "cpl is 0 or 3"],
    [{ code: guests.helloReal, mode: "real", cpl: 3 }, "cpl is 0 outside long mode"],
    [{ code, ends: "halt" }, "ends is an exit's name"],
    [{ code, ends: ["hlt", 5] }, "ends is an exit's name"],
    [{ code, ends: new Array(5) }, "ends is an exit's name"],
    [{ code, endPort: 0x1_0000 }, "endPort is a port"],
    [{ code, registers: new Map([["rax", 5n]]) }, "registers is a plain object"],
    [{ code, registers: [] }, "registers is a plain object"],
    [{ code, registers: new Registers() }, "registers is a plain object"],
    [{ code, input: 5 }, "input is a plain object"],
    [{ code, input: new Map([[0x60, 5]]) }, "input is a plain object"],
    [{ code, input: { keyboard: 5 } }, "input is what the guest reads, by port: a number"],
    [{ code, input: { "": 5 } }, "input is what the guest reads, by port: a number"],
    [{ code, input: { 0x1_0000: 5 } }, "a number from 0 to 0xffff"],
    [{ code, memory: new Map([[0x2000, [1]]]) }, "memory is a plain object"],
    [{ code, memory: new Set([0x2000]) }, "memory is a plain object"],
    [{ code, memory: { "": [1, 2] } }, "memory is bytes by guest-physical address"],
    [{ code, memory: { " 5": [1, 2] } }, "memory is bytes by guest-physical address"],
    [{ code, memory: { 0x2000: new Array(5) } }, "memory[8192] is text"],
    [{ code, input: { 0x60: null } }, "input[96] is a number"],
    [{ code, memory: { data: [1] } }, "memory is bytes by guest-physical address"],
    [{ code, memory: { 0x2000: 5 } }, "memory[8192] is text"],
    [{ code, memory: { 0x2000: [256] } }, "memory[8192] is text"],
    [{ code, setup: 5 }, "setup is a function"],
    [{ code, mmio: {} }, "mmio is a function"],
    [{ code, registers: { rax: 5 } }, "A register's value is a bigint"],
    [{ code, timeLimit: "5" }, "time limit"],
    [{ code, exitLimit: "5" }, "exitLimit is a whole number from 0 to 1000000"],
    [{ code, exitLimit: Infinity }, "exitLimit is a whole number"],
  ];
  for (const [options, message] of cases) {
    const error = assertThrows(() => runGuest(options), KvmError);
    assertStringIncludes(error.message, message);
    assertEquals(error.code, "EINVAL", message);
  }
});

Deno.test("an expectation that nothing can meet is a mistake of the test's", () => {
  const cases: readonly [expected: Anything, message: string][] = [
    [null, "What is expected is an object, not null"],
    [{ registrs: {} }, "What is expected has no registrs, but registers, memory"],
    [{ registers: { rax: 42 } }, "registers.rax is a bigint"],
    [new Map([["registers", { rax: 99n }]]), "expected is a plain object: registers,"],
    [{ registers: new Map([["rax", 99n]]) }, "registers is a plain object"],
    [{ registers: new Registers() }, "registers is a plain object"],
    [{ registers: [] }, "registers is a plain object"],
    [{ memory: 5 }, "memory is a plain object"],
    [{ memory: [] }, "memory is a plain object"],
    [{ memory: new Map([[0x2000, [1]]]) }, "memory is a plain object"],
    [{ memory: { "": [1] } }, "memory is bytes by guest-physical address"],
    [{ output: 5n }, "output is a string"],
    [{ output: null }, "output is a string"],
    [{ written: new Map([[0x80, [1]]]) }, "written is a plain object"],
    [{ written: { 0x1_0000: "" } }, "written is bytes by port"],
    [{ exits: new Set(["io"]) }, "exits is a plain object"],
    [{ exits: new Map([["io", 1]]) }, "exits is a plain object"],
    [{ exits: { hlt: "1" } }, "exits.hlt is a whole number"],
    [{ exits: { hlt: -1 } }, "exits.hlt is a whole number"],
    [{ exits: new Array(5) }, "exits is exits' names"],
    [{ memory: { 0x2000: {} } }, "memory[8192] is text"],
    [{ written: { serial: "" } }, "written is bytes by port: a number"],
    [{ exits: ["halt"] }, "exits is exits' names"],
    [{ exits: { halt: 1 } }, "exits is exits' names"],
  ];
  for (const [expected, message] of cases) {
    const error = assertThrows(() => assertGuest({ code: add }, expected), KvmError);
    assertStringIncludes(error.message, message);
    assertEquals(error.code, "EINVAL", message);
  }
});

Deno.test("an object without a prototype is as plain as any, and addresses may be in hex", () => {
  const bare = (entries: object): Anything => Object.assign(Object.create(null), entries);
  assertGuest(
    { code: load, registers: bare({ rsi: 5n }), memory: bare({ "0x2000": "abcd" }) },
    bare({
      registers: bare({ rsi: 5n, rax: 0x64636261n }),
      memory: bare({ "0x2000": "abcd" }),
      exits: bare({ mmio: 1, hlt: 1 }),
    }),
  );
});

Deno.test("a list that is far too long is refused before anyone looks at its elements", () => {
  const code = add;
  const endless: Anything[] = new Array(2 ** 32 - 1);
  for (
    const run of [
      () => runGuest({ code, ends: endless }),
      () => runGuest({ code, memory: { 0x2000: endless } }),
      () => assertGuest({ code }, { memory: { 0x2000: endless } }),
      () => assertGuest({ code }, { exits: endless }),
    ]
  ) assertEquals(assertThrows(run, KvmError).code, "E2BIG");
});

Deno.test("what a port's callback returns is a number, or the guest fails with its port", () => {
  for (const value of [undefined, "5", 0.5, NaN, 2 ** 32, 5n, null] as Anything[]) {
    for (const input of [() => value, [value]]) {
      const run = () => runGuest({ code: readTwice, input: { 0x60: input } });
      assertThrows(run, KvmError, "input[96] is a whole number of 32 bits");
    }
  }
  using guest = runGuest({ code: readTwice, input: { 0x60: () => -1 } });
  assertEquals(guest.registers.rax, 0xffffn);
});

Deno.test("a callback can look at the vCPU, but neither run it nor take it away", () => {
  let vcpu: Vcpu | undefined;
  const prepare = (given: Vcpu) => void (vcpu = given);
  using guest = runGuest({
    code: readTwice,
    prepare,
    input: { 0x60: () => Number(vcpu!.getRegs().rip & 0xffn) },
  });
  // The code is at 0x1000, and RIP at an IN or behind it, as the host has it.
  const [second = 0, first = 0] = [guest.registers.rax & 0xffn, guest.registers.rax >> 8n & 0xffn];
  assertEquals([second, first].map((rip) => Number(rip) < readTwice.length), [true, true]);
  assertEquals(second > first, true);

  const runs = { code: readTwice, prepare, input: { 0x60: () => (vcpu!.run(), 5) } };
  const busy = assertThrows(() => runGuest(runs), KvmError, "runGuest runs it");
  assertEquals(busy.code, "EBUSY");
  for (
    const callbacks of [
      { input: { 0x60: () => (vcpu!.close(), 5) } },
      { code: load, mmio: () => vcpu!.close() },
    ]
  ) {
    const error = assertThrows(
      () => runGuest({ code: readTwice, prepare, ...callbacks }),
      KvmError,
    );
    assertEquals(error.code, "EBADF");
  }
});
