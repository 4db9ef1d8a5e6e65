import { assertEquals } from "@std/assert";
import { SyncRegs } from "../../ffi/uapi/mod.ts";
import { CR4, encodeBreakpoints, Vector, XCR0, XsaveArea } from "../../src/arch/x86/mod.ts";
import {
  type BootOptions,
  longMode,
  protectedMode,
  readException,
  realMode,
} from "../../src/boot/mod.ts";
import { kick } from "../../src/kvm/mod.ts";
import { needing } from "../support/host.ts";
import { code } from "../support/instructions.ts";
import { runUntil, supportedCpuid } from "../support/machine.ts";
import { needs } from "../support/needs.ts";
import { Machine } from "./support.ts";

const leaves = supportedCpuid().entries;
const hasAvx = new XsaveArea(
  { region: new Uint32Array(1024), extra: new Uint32Array() },
  leaves,
).components.has("AVX");

/** Where there is no memory. */
const DEVICE = 0xd000_0000n;

/** Guests whose first instruction leaves something to be done, where the new one begins. */
const interrupted = {
  "an OUT": { code: code(0xe6, 0x80), registers: {} }, // out 0x80, al
  "an IN": { code: code(0xe4, 0x80), registers: {} }, // in al, 0x80
  "a wide IN": { code: code(0xe5, 0x80), registers: {} }, // in eax, 0x80
  "a string of OUT": { // rep outsb
    code: code(0xf3, 0x6e),
    registers: { rdx: 0x80n, rsi: 0x2000n, rcx: 0xffff_ffffn },
  },
  "a string of IN": { // rep insb
    code: code(0xf3, 0x6c),
    registers: { rdx: 0x80n, rdi: 0x1000n, rcx: 0xffff_ffffn },
  },
  "a load from a device": { // mov rax, [rdi]
    code: code(0x48, 0x8b, 0x07),
    registers: { rdi: DEVICE },
  },
  "a load that crosses two pages of a device": {
    code: code(0x48, 0x8b, 0x07),
    registers: { rdi: DEVICE + 0xffcn },
  },
  "a store to a device": { // mov [rdi], rax
    code: code(0x48, 0x89, 0x07),
    registers: { rdi: DEVICE },
  },
  "a copy from a device": { // rep movsb
    code: code(0xf3, 0xa4),
    registers: { rsi: DEVICE, rdi: 0x1000n, rcx: 0xffff_ffffn },
  },
} as const;

/** Each instruction of the new guest counts. */
const counting = code(
  ...[0xb8, 0x01, 0x00, 0x00, 0x00], // mov eax, 1
  ...[0xff, 0xc0, 0xff, 0xc0, 0xff, 0xc0], // inc eax, three times
  ...[0xf4], // hlt
);
const counting16 = code(
  ...[0x40, 0x40, 0x40, 0x40], // inc ax, four times
  ...[0xf4], // hlt
);
const counting32 = code(
  ...[0x40, 0x40, 0x40, 0x40], // inc eax, four times
  ...[0xf4], // hlt
);

const starts = {
  longMode: (machine: Machine) => longMode(machine.vcpu, machine.memory, { code: counting }),
  protectedMode: (machine: Machine) =>
    protectedMode(machine.vcpu, machine.memory, { code: counting32 }),
  realMode: (machine: Machine) => realMode(machine.vcpu, machine.memory, { code: counting16 }),
} as const;

/** A vCPU that a guest has left with its first exit. */
function used(guest: Pick<BootOptions, "code" | "registers">): Machine {
  const machine = new Machine();
  longMode(machine.vcpu, machine.memory, guest);
  machine.vcpu.run();
  return machine;
}

for (const [what, guest] of Object.entries(interrupted)) {
  for (const [mode, start] of Object.entries(starts)) {
    Deno.test(`After ${what}, a guest that ${mode} starts runs from its first instruction`, () => {
      using machine = used(guest);
      start(machine);
      assertEquals(machine.vcpu.getRegs().rip, 0x1000n);
      runUntil(machine.vcpu, "hlt");
      assertEquals(machine.vcpu.getRegs().rax, 4n);
    });
  }
}

Deno.test("What an IN of the last guest still brings reaches no memory of the new one", () => {
  using machine = used(interrupted["a string of IN"]);
  const exit = machine.vcpu.lastExit;
  if (exit.reason === "io") exit.data.fill(0x90);
  longMode(machine.vcpu, machine.memory, { code: counting });
  assertEquals(machine.memory.readBytes(0x1000, counting.length), counting);
  runUntil(machine.vcpu, "hlt");
  assertEquals(machine.vcpu.getRegs().rax, 4n);
});

Deno.test("A start leaves a request, a kick and a limit to the new guest's runs", () => {
  using machine = used(interrupted["an IN"]);
  const { vcpu } = machine;
  const start = () => longMode(vcpu, machine.memory, { code: counting });
  vcpu.requestImmediateExit();
  start();
  runUntil(vcpu, "intr");
  runUntil(vcpu, "hlt");

  longMode(vcpu, machine.memory, interrupted["an IN"]);
  runUntil(vcpu, "io");
  kick(vcpu.kickHandle);
  start();
  runUntil(vcpu, "intr");
  runUntil(vcpu, "hlt");

  longMode(vcpu, machine.memory, interrupted["an IN"]);
  runUntil(vcpu, "io");
  {
    using _limit = vcpu.interruptAfter(0);
    start();
    runUntil(vcpu, "intr");
    runUntil(vcpu, "hlt");
  }
  assertEquals(vcpu.kvmRun.immediateExit, 0);
});

Deno.test(
  needs("An exception that was about to be delivered is not the new guest's", "VCPU_EVENTS"),
  () => {
    using machine = used({ code: code(0xf4) });
    machine.vcpu.injectException(Vector.GP, 0);
    const boot = longMode(machine.vcpu, machine.memory, { code: counting, idt: true });
    runUntil(machine.vcpu, "hlt");
    assertEquals(machine.vcpu.getRegs().rax, 4n);
    assertEquals(readException(machine.memory, boot), undefined);
  },
);

Deno.test(needs("Neither is an NMI, nor an interrupt", "VCPU_EVENTS"), () => {
  using machine = used({ code: code(0xf4) });
  const { vcpu } = machine;
  for (const event of [() => vcpu.nmi(), () => vcpu.interrupt(0x30)]) {
    event();
    longMode(vcpu, machine.memory, { code: counting });
    runUntil(vcpu, "hlt");
    assertEquals(vcpu.getRegs().rax, 4n);
    const { interrupt, nmi } = vcpu.getVcpuEvents();
    assertEquals([interrupt.injected, nmi.injected, nmi.pending, nmi.masked], [0, 0, 0, 0]);
  }
});

Deno.test(needs("Neither is an SMI", "VCPU_EVENTS", "X86_SMM"), () => {
  using machine = used({ code: code(0xf4) });
  machine.vcpu.smi();
  longMode(machine.vcpu, machine.memory, { code: counting });
  runUntil(machine.vcpu, "hlt");
  assertEquals(machine.vcpu.getRegs().rax, 4n);
});

Deno.test("A guest finds nothing of the last one's in x87, SSE and AVX registers", () => {
  using machine = new Machine();
  const { vcpu } = machine;
  const fill = code(
    ...[0x66, 0x48, 0x0f, 0x6e, 0xe8], // movq xmm5, rax
    ...[0xd9, 0xe8], // fld1
    ...[0xd9, 0x2c, 0x25, 0x00, 0x20, 0x00, 0x00], // fldcw [0x2000]
    ...[0x0f, 0xae, 0x14, 0x25, 0x04, 0x20, 0x00, 0x00], // ldmxcsr [0x2004]
    ...[0xf4], // hlt
  );
  machine.memory.writeU16(0x2000, 0x27f);
  machine.memory.writeU32(0x2004, 0x9fc0);
  // At level 3, where every backend has all instructions.
  longMode(vcpu, machine.memory, { code: fill, cpl: 3, registers: { rax: 0x5ec2e7n } });
  runUntil(vcpu, "hlt");
  assertEquals(new XsaveArea(vcpu.getXsave(), leaves).read("xmm5"), 0x5ec2e7n);

  const look = code(
    ...[0x66, 0x48, 0x0f, 0x7e, 0xe8], // movq rax, xmm5
    ...[0x0f, 0xae, 0x1c, 0x25, 0x04, 0x20, 0x00, 0x00], // stmxcsr [0x2004]
    ...[0xd9, 0x3c, 0x25, 0x00, 0x20, 0x00, 0x00], // fnstcw [0x2000]
    ...[0x9b, 0xdd, 0x3c, 0x25, 0x08, 0x20, 0x00, 0x00], // fstsw [0x2008]
    ...[0xf4], // hlt
  );
  longMode(vcpu, machine.memory, { code: look, cpl: 3 });
  runUntil(vcpu, "hlt");
  const { memory } = machine;
  assertEquals(vcpu.getRegs().rax, 0n);
  assertEquals(
    [memory.readU32(0x2004), memory.readU16(0x2000), memory.readU16(0x2008)],
    [0x1f80, 0x37f, 0],
  );
});

Deno.test(needing("AVX", hasAvx, "Nor in the upper half of a YMM register"), () => {
  using machine = new Machine();
  const { vcpu } = machine;
  const xcrs = [{ value: XCR0.X87 | XCR0.SSE | XCR0.AVX }];
  const secret = 2n ** 200n + 5n;
  vcpu.setXcrs({ xcrs });
  const xsave = vcpu.getXsave();
  new XsaveArea(xsave, leaves).write("ymm5", secret);
  vcpu.setXsave(xsave);
  longMode(vcpu, machine.memory, {
    code: code(
      ...[0xc5, 0xfc, 0x11, 0x2c, 0x25, 0x00, 0x20, 0x00, 0x00], // vmovups [0x2000], ymm5
      ...[0xf4], // hlt
    ),
    cpl: 3,
  });
  assertEquals(vcpu.getXcrs().xcrs[0]!.value, XCR0.X87);
  vcpu.setXcrs({ xcrs });
  vcpu.setSregs({ cr4: vcpu.getSregs().cr4 | CR4.OSXSAVE });
  machine.memory.fill(0x2000, 32, 0xff);
  runUntil(vcpu, "hlt");
  assertEquals(machine.memory.readBytes(0x2000, 32), new Uint8Array(32));
});

Deno.test(needs("A breakpoint of the last guest's stops no new one", "DEBUGREGS"), () => {
  using machine = new Machine();
  const { vcpu } = machine;
  vcpu.setDebugregs(encodeBreakpoints([{ type: "execute", address: 0x1005n }]));
  longMode(vcpu, machine.memory, { code: counting });
  const { db, dr6, dr7 } = vcpu.getDebugregs();
  assertEquals([...db, dr6, dr7], [0n, 0n, 0n, 0n, 0xffff_0ff0n, 0x400n]);
  runUntil(vcpu, "hlt");
});

Deno.test("A guest begins with task priority 0, whatever the last one had set", () => {
  using machine = used({
    code: code(0x44, 0x0f, 0x22, 0xc0, 0xf4), // mov cr8, rax
    registers: { rax: 9n },
  });
  const { vcpu } = machine;
  assertEquals(vcpu.cr8, 9n);
  vcpu.kvmRun.cr8 = 99n;
  longMode(vcpu, machine.memory, { code: counting });
  runUntil(vcpu, "hlt");
  assertEquals(vcpu.getSregs().cr8, 0n);
});

Deno.test(needs("Registers on the run page that were marked are forgotten", "SYNC_REGS"), () => {
  using machine = used(interrupted["an IN"]);
  const { vcpu } = machine;
  vcpu.syncRegs.regs.rip = 0x7000n;
  vcpu.syncRegs.markDirty(SyncRegs.REGS);
  longMode(vcpu, machine.memory, { code: counting });
  runUntil(vcpu, "hlt");
  assertEquals(vcpu.getRegs().rax, 4n);
});
