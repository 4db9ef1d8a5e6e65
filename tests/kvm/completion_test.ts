import { assert, assertEquals } from "@std/assert";
import { MpState } from "../../ffi/uapi/mod.ts";
import { kick } from "../../src/kvm/mod.ts";
import { assertCode } from "../support/codes.ts";
import { inb, inEax, loads, movDx } from "../support/instructions.ts";
import { needs } from "../support/needs.ts";
import { CELLS, runUntil, startLong, startReal } from "../support/machine.ts";

/** Where there is no memory. */
const DEVICE = 0xd000_0000;

Deno.test("what an IN has read reaches its register, and no instruction is run", () => {
  using machine = startReal([0xe4, 0x60, 0x40, 0xf4]); // in al, 0x60; inc ax; hlt
  const { vcpu } = machine;
  const exit = runUntil(vcpu, "io");
  exit.value = 41;
  assertEquals(vcpu.completeOperations().reason, "intr");
  const { rax, rip } = vcpu.getRegs();
  assertEquals([rax, rip], [41n, 0x1002n]);
  assertEquals(vcpu.lastExit.reason, "intr");
  assertEquals(vcpu.completeOperations().reason, "intr");
  runUntil(vcpu, "hlt");
  assertEquals(vcpu.getRegs().rax, 42n);
});

Deno.test("an instruction's next exit is to be handled before it is complete", () => {
  using machine = startLong([...loads(DEVICE + 0xffc, 8), 0xf4]);
  const { vcpu } = machine;
  const parts: number[] = [];
  for (let exit = vcpu.run(); exit.reason !== "intr"; exit = vcpu.completeOperations()) {
    assert(exit.reason === "mmio");
    parts.push(exit.physAddr);
    exit.data.fill(parts.length);
  }
  assert(parts.length > 1 && parts[0] === DEVICE + 0xffc);
  const { rax } = vcpu.getRegs();
  assertEquals([rax & 0xffn, rax >> 56n], [1n, BigInt(parts.length)]);
  runUntil(vcpu, "hlt");
});

Deno.test("a vCPU that has nothing to complete is as it was", () => {
  using machine = startLong([0xc6, 0x04, 0x25, 0x00, 0x20, 0x00, 0x00, 1, 0xf4]); // mov [CELLS], 1
  const { vcpu, memory } = machine;
  assertEquals(vcpu.completeOperations().reason, "intr");
  assertEquals([memory.readU8(CELLS), vcpu.getRegs().rip], [0, 0x1000n]);
  runUntil(vcpu, "hlt");
  assertEquals(vcpu.completeOperations().reason, "intr");
  assertEquals(memory.readU8(CELLS), 1);
});

Deno.test(
  needs("a vCPU that waits for INIT completes its exit all the same, and waits on", "IRQCHIP"),
  () => {
    for (const runs of [false, true]) {
      using machine = startReal([0xe4, 0x60, 0x40, 0xf4], undefined, (vm) => vm.createIrqchip());
      const { vcpu } = machine;
      const exit = runUntil(vcpu, "io");
      exit.value = 41;
      vcpu.setMpState(MpState.UNINITIALIZED);
      if (runs) assertEquals(vcpu.run({ timeout: 1 }).reason, "intr");
      assertEquals(vcpu.completeOperations().reason, "intr");
      assertEquals(vcpu.getMpState(), MpState.UNINITIALIZED);
      assertEquals([vcpu.getRegs().rax, vcpu.getRegs().rip], [41n, 0x1002n]);
    }
  },
);

Deno.test("a request and a kick end the run after the completion", () => {
  using machine = startLong([...inb(0x60), ...movDx(0x61), ...inEax(4), 0xf4]);
  const { vcpu } = machine;
  runUntil(vcpu, "io");
  vcpu.requestImmediateExit();
  assertEquals(vcpu.completeOperations().reason, "intr");
  runUntil(vcpu, "intr");
  runUntil(vcpu, "io");
  kick(vcpu.kickHandle);
  assertEquals(vcpu.completeOperations().reason, "intr");
  runUntil(vcpu, "intr");
  runUntil(vcpu, "hlt");
});

Deno.test("whoever holds a vCPU completes its exits; where there are none, nobody minds", () => {
  using machine = startReal([0xe4, 0x60, 0xf4]); // in al, 0x60; hlt
  const { vcpu } = machine;
  {
    using held = vcpu.hold("Let it be");
    assertEquals(vcpu.completeOperations().reason, "intr");
    assertEquals(held.run().reason, "io");
    assertCode("EBUSY", () => vcpu.completeOperations());
  }
  assertEquals(vcpu.completeOperations().reason, "intr");
  vcpu.close();
  assertCode("EBADF", () => vcpu.completeOperations());
});

Deno.test("a vCPU that runs beside the event loop completes nothing meanwhile", async () => {
  using machine = startReal([0xe4, 0x60, 0xf4]); // in al, 0x60; hlt
  const { vcpu } = machine;
  const running = vcpu.runAsync();
  assertCode("EBUSY", () => vcpu.completeOperations());
  assertEquals((await running).reason, "io");
  assertEquals(vcpu.completeOperations().reason, "intr");
});
