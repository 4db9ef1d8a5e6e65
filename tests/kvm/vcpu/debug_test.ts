import { assert, assertEquals } from "@std/assert";
import { Cap, VcpuEventFlag } from "../../../ffi/uapi/mod.ts";
import {
  decodeDr6,
  type HardwareBreakpoint,
  LAPIC,
  LapicRegisters,
  SVR_ENABLE,
  Vector,
} from "../../../src/arch/x86/mod.ts";
import { assertCode } from "../../support/codes.ts";
import { needing } from "../../support/host.ts";
import { bare, CELLS, runUntil, startLong } from "../../support/machine.ts";
import { needs } from "../../support/needs.ts";
import { firesBreakpoints, firesSoftwareBreakpoints } from "./probes.ts";

const hlt = 0xf4;
/** At 0x1000: mov eax, 3; 0x1005: dec eax; jnz 0x1005; 0x1009: nop; hlt. */
const loop = [0xb8, 3, 0, 0, 0, 0xff, 0xc8, 0x75, 0xfc, 0x90, hlt];
const HLT_OF_LOOP = 0x100an;

Deno.test(needs("a single step stops before each instruction", "SET_GUEST_DEBUG"), () => {
  using machine = startLong(loop);
  const { vcpu } = machine;
  vcpu.setGuestDebug({ singleStep: true });
  const stops: bigint[] = [];
  while (stops.at(-1) !== HLT_OF_LOOP && stops.length < 20) {
    const exit = runUntil(vcpu, "debug");
    assertEquals([exit.exception, exit.pc], [Vector.DB, vcpu.getRegs().rip]);
    stops.push(exit.pc);
  }
  const round = [0x1005n, 0x1007n];
  assertEquals(stops, [...round, ...round, ...round, 0x1009n, HLT_OF_LOOP]);
  vcpu.setGuestDebug();
  runUntil(vcpu, "hlt");
});

Deno.test(
  needs("a step says that it was one, and stepping ends when asked to", "SET_GUEST_DEBUG"),
  () => {
    using machine = startLong(loop);
    const { vcpu } = machine;
    vcpu.setGuestDebug({ singleStep: true });
    const exit = runUntil(vcpu, "debug");
    assertEquals(decodeDr6(exit.dr6), { slots: [], singleStep: true });
    vcpu.setGuestDebug();
    runUntil(vcpu, "hlt");
  },
);

Deno.test(
  needing(
    "execution breakpoints that fire",
    firesBreakpoints("execute"),
    "a hardware breakpoint stops before its instruction, each time, and names its slot",
  ),
  () => {
    using machine = startLong(loop);
    const { vcpu } = machine;
    const breakpoints: HardwareBreakpoint[] = [
      { type: "execute", address: 0x1007n },
      { type: "execute", address: 0x1009n, slot: 3 },
    ];
    vcpu.setGuestDebug({ breakpoints });
    const first = runUntil(vcpu, "debug");
    assertEquals(decodeDr6(first.dr6).slots, [0]);
    assertEquals([first.pc, vcpu.getRegs().rax], [0x1007n, 2n]);
    // The debugger steps over what it stopped at.
    vcpu.setGuestDebug({ singleStep: true });
    assertEquals(runUntil(vcpu, "debug").pc, 0x1005n);
    vcpu.setGuestDebug({ breakpoints: [breakpoints[1]!] });
    const last = runUntil(vcpu, "debug");
    assertEquals([last.pc, decodeDr6(last.dr6).slots], [0x1009n, [3]]);
    assertEquals(vcpu.getRegs().rax, 0n);
    vcpu.setGuestDebug();
    runUntil(vcpu, "hlt");
  },
);

for (const type of ["write", "access"] as const) {
  Deno.test(
    needing(
      `${type} watchpoints that fire`,
      firesBreakpoints(type),
      `a watchpoint stops after the ${type}`,
    ),
    () => {
      using machine = startLong([
        ...[0xc7, 0x04, 0x25, 0x00, 0x30, 0x00, 0x00, 5, 0, 0, 0], // mov dword [0x3000], 5
        0x90, // nop
        hlt,
      ]);
      const { vcpu, memory } = machine;
      vcpu.setGuestDebug({ breakpoints: [{ type, address: 0x3000n, length: 4, slot: 2 }] });
      const exit = runUntil(vcpu, "debug");
      assertEquals([exit.pc, memory.readU32(0x3000)], [0x100bn, 5]);
      assertEquals(decodeDr6(exit.dr6).slots, [2]);
    },
  );
}

Deno.test(
  needing(
    "software breakpoints that fire",
    firesSoftwareBreakpoints(),
    "INT3 stops for the debugger and not for the guest",
  ),
  () => {
    using machine = startLong([0x90, 0xcc, hlt]);
    const { vcpu } = machine;
    vcpu.setGuestDebug({ softwareBreakpoints: true });
    const exit = runUntil(vcpu, "debug");
    assertEquals([exit.exception, exit.pc], [Vector.BP, 0x1001n]);
  },
);

for (
  const [inject, vector, opcode] of [["db", Vector.DB, 0x90], ["bp", Vector.BP, 0xcc]] as const
) {
  // #BP is given back to a guest whose own INT3 stopped it: the instruction is still there.
  Deno.test(needs(`an injected #${inject} runs the guest's handler`, "SET_GUEST_DEBUG"), () => {
    using machine = startLong([
      ...[opcode, hlt],
      ...[0xfe, 0x04, 0x25, 0x00, 0x20, 0x00, 0x00], // 0x1002: inc byte [0x2000]
      hlt,
    ], { idt: { handlers: { [vector]: 0x1002 } } });
    const { vcpu, memory } = machine;
    vcpu.setGuestDebug({ inject });
    runUntil(vcpu, "hlt");
    assertEquals(memory.readU8(CELLS), 1);
    assertEquals(vcpu.getRegs().rip, 0x100an);
  });
}

Deno.test(needs("nothing is injected before an exception that waits", "EXCEPTION_PAYLOAD"), () => {
  using machine = bare(1 << 20, (vm) => vm.enableCap(Cap.EXCEPTION_PAYLOAD, 1));
  const { vcpu } = machine;
  const { flags } = vcpu.getVcpuEvents();
  vcpu.setVcpuEvents({
    flags: flags | VcpuEventFlag.PAYLOAD,
    exception: { pending: 1, nr: Vector.UD },
  });
  assertCode("EBUSY", () => vcpu.setGuestDebug({ inject: "db" }));
});

Deno.test(needs("interrupts can be held off while stepping", "SET_GUEST_DEBUG2", "IRQCHIP"), () => {
  for (const blockIrq of [false, true]) {
    // sti; nop; nop; nop; nop; hlt, and from 0x1006 on the handler
    using machine = startLong([0xfb, 0x90, 0x90, 0x90, 0x90, hlt, 0x90, 0x90, hlt], {
      idt: { handlers: { 0x51: 0x1006 } },
    }, (vm) => vm.createIrqchip());
    const { vcpu } = machine;
    using _limit = vcpu.interruptAfter(1000);
    vcpu.setGuestDebug({ singleStep: true, blockIrq });
    runUntil(vcpu, "debug"); // sti
    runUntil(vcpu, "debug"); // nop
    const { rip: before } = vcpu.getRegs();
    const lapic = vcpu.getLapic();
    new LapicRegisters(lapic).write("svr", SVR_ENABLE | 0xff);
    lapic.regs[LAPIC.irr + 32 + 2] = 1 << 1; // vector 2 * 32 + 17 is requested
    vcpu.setLapic(lapic);
    // A handler begins without the trap flag: then the guest waits at its HLT until the time is over.
    vcpu.run();
    const { rip } = vcpu.getRegs();
    assert(blockIrq ? rip === before + 1n : rip >= 0x1006n, `blockIrq ${blockIrq}: ${rip}`);
  }
});

Deno.test("what can't be set is refused before the kernel sees it", () => {
  using machine = bare();
  const { vcpu } = machine;
  assertCode("EINVAL", () => vcpu.setGuestDebug({ inject: "ud" as "db" }));
  const five = Array<HardwareBreakpoint>(5).fill({ type: "execute", address: 0n });
  assertCode("EINVAL", () => vcpu.setGuestDebug({ breakpoints: five }));
  assertCode("EINVAL", () => vcpu.translate(-1n));
  assertCode("EINVAL", () => vcpu.walk(4096 as unknown as bigint));
});

Deno.test("a debugger's breakpoints are not the guest's own debug registers", () => {
  using machine = bare();
  const { vcpu } = machine;
  vcpu.setDebugregs({ db: [0x1111n, 0n, 0n, 0n] });
  vcpu.setGuestDebug({ breakpoints: [{ type: "execute", address: 0x2222n }] });
  assertEquals(vcpu.getDebugregs().db[0], 0x1111n);
});
