import { assert, assertEquals } from "@std/assert";
import { guests } from "../../../guests/mod.ts";
import { copyExit, type InternalErrorRecord } from "../../../src/kvm/mod.ts";
import { needing } from "../../support/host.ts";
import { CELLS, runUntil, startLong } from "../../support/machine.ts";

/** popcnt eax, ebx; mov [CELLS], eax; hlt: a processor runs it, KVM's emulator may not know it. */
const POPCNT = Uint8Array.fromHex("f30fb8c38904250020" + "0000f4");

const emulated = (() => {
  using machine = startLong(POPCNT);
  return machine.vcpu.run().reason === "internalError";
})();

Deno.test("HLT is an exit, with RIP behind the instruction", () => {
  using machine = startLong(guests.halt);
  const exit = runUntil(machine.vcpu, "hlt");
  assertEquals(machine.vcpu.getRegs().rip, 0x1000n + BigInt(guests.halt.length));
  assertEquals(Deno.inspect(exit), '{ reason: "hlt" }');
  assertEquals(copyExit(exit), { reason: "hlt" });
});

Deno.test("a triple fault is a shutdown", () => {
  using machine = startLong(guests.tripleFault);
  const exit = runUntil(machine.vcpu, "shutdown");
  assertEquals(machine.memory.readU32(CELLS), 42);
  assertEquals(Deno.inspect(exit), '{ reason: "shutdown" }');
});

Deno.test("a guest without memory at its entry exits, with no crash", () => {
  using machine = startLong(guests.halt);
  machine.vcpu.setRegs({ rip: 0x4000_0000n });
  const exit = machine.vcpu.run();
  assert(["internalError", "mmio", "shutdown"].includes(exit.reason), Deno.inspect(exit));
  assert(Deno.inspect(exit).includes(exit.reason));
});

Deno.test(
  needing(
    "a KVM that emulates level 0",
    emulated,
    "an instruction that the emulator lacks is an internal error with its bytes",
  ),
  () => {
    using machine = startLong(POPCNT);
    const { vcpu } = machine;
    const exit = runUntil(vcpu, "internalError");
    assertEquals([exit.suberror, exit.name], [1, "EMULATION"]);
    assertEquals(exit.instruction!.subarray(0, 4).toHex(), "f30fb8c3");
    assert(exit.data.length >= 1 && exit.data.every((value) => typeof value === "bigint"));
    assertEquals(vcpu.getRegs().rip, 0x1000n);
    const text = Deno.inspect(exit);
    for (const field of ['reason: "internalError"', "suberror: 1", 'name: "EMULATION"', "243"]) {
      assert(text.includes(field), text);
    }
  },
);

Deno.test(
  needing(
    "a KVM that emulates level 0",
    emulated,
    "the host may execute what the emulator lacks, and the guest goes on",
  ),
  () => {
    using machine = startLong(POPCNT);
    const { vcpu, memory } = machine;
    const copy = copyExit(runUntil(vcpu, "internalError")) as InternalErrorRecord;
    vcpu.setRegs({ rip: vcpu.getRegs().rip + 4n, rax: 17n });
    runUntil(vcpu, "hlt");
    assertEquals(memory.readU32(CELLS), 17);
    assertEquals(copy.instruction!.subarray(0, 4).toHex(), "f30fb8c3");
  },
);

Deno.test(
  needing(
    "a KVM that emulates level 0",
    emulated,
    "the run page can be printed after every kind of exit",
  ),
  () => {
    using machine = startLong(POPCNT);
    runUntil(machine.vcpu, "internalError");
    assert(Deno.inspect(machine.vcpu.kvmRun, { depth: 10 }).includes("exitReason: 17"));
  },
);
