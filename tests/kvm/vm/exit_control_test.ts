import { assert, assertEquals, assertGreater } from "@std/assert";
import { Cap, MsrExitReason, RunFlag, VcpuEventFlag, Vector } from "../../../ffi/uapi/mod.ts";
import { longMode, readException } from "../../../src/boot/mod.ts";
import { type DisabledExits, Kvm, type Vm } from "../../../src/kvm/mod.ts";
import { runGuest } from "../../../src/testing/mod.ts";
import { assertCode } from "../../support/codes.ts";
import { needing } from "../../support/host.ts";
import { bare, runUntil, startLong } from "../../support/machine.ts";
import { interpretsLevel0 } from "../../support/native.ts";
import { needs } from "../../support/needs.ts";

/** hlt; out 0xe0, al; jmp $ */
const haltAndReport = [0xf4, 0xe6, 0xe0, 0xeb, 0xfe];
/** rdmsr; hlt */
const rdmsr = [0x0f, 0x32, 0xf4];
/** wrmsr; hlt */
const wrmsr = [0x0f, 0x30, 0xf4];
/** mov rax, cr2; hlt */
const readCr2 = [0x0f, 0x20, 0xd0, 0xf4];
/** popcnt rax, [rdi]; hlt: no emulator of KVM's knows it, and MMIO has to be emulated. */
const popcnt = [0xf3, 0x48, 0x0f, 0xb8, 0x07, 0xf4];
/** lock inc dword [rdi]; hlt */
const lockInc = [0xf0, 0xff, 0x07, 0xf4];
/** vmcall; hlt */
const vmcall = [0x0f, 0x01, 0xc1, 0xf4];
/** hlt */
const hlt = [0xf4];

/** No processor has this MSR. */
const NO_SUCH_MSR = 0x1234_5678n;

const hltDisabled = needs(
  "a guest's HLT does not exit where that is disabled",
  "X86_DISABLE_EXITS",
);
const interpreted = interpretsLevel0();

Deno.test({
  ...needing(
    "a processor that runs level 0",
    !interpreted && !hltDisabled.ignore,
    hltDisabled.name,
  ),
  fn() {
    const first = (setup: (vm: Vm) => void) => {
      using machine = startLong(haltAndReport, {}, setup);
      return machine.vcpu.run({ timeout: 100 }).reason;
    };
    assertEquals(first(() => {}), "hlt");
    // The processor halts inside the guest, or goes on where an interrupt of the host's has woken it.
    const reason = first((vm) => vm.disableExits({ hlt: true }));
    assert(reason === "intr" || reason === "io", reason);
  },
});

Deno.test(needs("exits are disabled by name", "X86_DISABLE_EXITS"), () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  vm.disableExits({ pause: true, cstate: true, hlt: false });
  assertCode("EINVAL", () => vm.disableExits({ halt: true } as DisabledExits));
});

Deno.test(needs("an unknown MSR is the host's to answer, or a #GP", "X86_USER_SPACE_MSR"), () => {
  const start = (code: number[], registers: Record<string, bigint>) => {
    const machine = bare(2 << 20, (vm) => vm.userSpaceMsr(MsrExitReason.UNKNOWN));
    const { vcpu, memory } = machine;
    const boot = longMode(vcpu, memory, { code: Uint8Array.from(code), registers, idt: true });
    return { ...machine, exception: () => readException(memory, boot)?.name };
  };
  {
    using read = start(rdmsr, { rcx: NO_SUCH_MSR, rax: ~0n, rdx: ~0n });
    const exit = runUntil(read.vcpu, "x86Rdmsr");
    assertEquals([exit.index, exit.msrReason], [Number(NO_SUCH_MSR), MsrExitReason.UNKNOWN]);
    exit.data = 0x1122_3344_5566_7788n;
    runUntil(read.vcpu, "hlt");
    const { rax, rdx } = read.vcpu.getRegs();
    assertEquals([rdx, rax], [0x1122_3344n, 0x5566_7788n]);
    assertEquals(read.exception(), undefined);
  }
  {
    using write = start(wrmsr, { rcx: NO_SUCH_MSR, rax: 0x55n, rdx: 0x11n });
    const exit = runUntil(write.vcpu, "x86Wrmsr");
    assertEquals([exit.index, exit.data], [Number(NO_SUCH_MSR), 0x11_0000_0055n]);
    runUntil(write.vcpu, "hlt");
    assertEquals(write.exception(), undefined);
  }
  {
    using refused = start(rdmsr, { rcx: NO_SUCH_MSR });
    runUntil(refused.vcpu, "x86Rdmsr").error = 1;
    runUntil(refused.vcpu, "hlt");
    assertEquals(refused.exception(), "#GP");
  }
  using guest = runGuest({
    code: Uint8Array.from(rdmsr),
    registers: { rcx: NO_SUCH_MSR },
    ends: "exception",
  });
  assertEquals(guest.exception?.name, "#GP", "without the capability");
});

Deno.test(needs("a pending page fault brings its address", "EXCEPTION_PAYLOAD"), () => {
  const address = 0x1234_5000n;
  using machine = bare(2 << 20, (vm) => vm.exceptionPayload());
  const { vcpu, memory } = machine;
  const idt = { handlers: { [Vector.PF]: 0x1000 } };
  longMode(vcpu, memory, { code: Uint8Array.from(readCr2), idt });
  vcpu.setVcpuEvents({
    flags: VcpuEventFlag.PAYLOAD,
    exception: { nr: Vector.PF, pending: 1, injected: 0, hasErrorCode: 1, errorCode: 2 },
    exceptionHasPayload: 1,
    exceptionPayload: address,
  });
  // It is not in CR2 before it is delivered.
  const events = vcpu.getVcpuEvents();
  assertEquals([events.exception.pending, events.exceptionPayload], [1, address]);
  runUntil(vcpu, "hlt");
  assertEquals(vcpu.getRegs().rax, address);
});

Deno.test(needs("without the capability there is no payload", "EXCEPTION_PAYLOAD"), () => {
  using machine = bare(2 << 20, (vm) => vm.exceptionPayload(false));
  const events = { flags: VcpuEventFlag.PAYLOAD, exceptionHasPayload: 1 };
  assertCode("EINVAL", () => machine.vcpu.setVcpuEvents(events));
});

Deno.test(needs("a pending triple fault shuts the guest down", "X86_TRIPLE_FAULT_EVENT"), () => {
  const events = { flags: VcpuEventFlag.TRIPLE_FAULT, tripleFault: { pending: 1 } };
  using machine = startLong(hlt, {}, (vm) => vm.tripleFaultEvent());
  const { vcpu } = machine;
  assertEquals(vcpu.getVcpuEvents().tripleFault.pending, 0);
  vcpu.setVcpuEvents(events);
  assertEquals(vcpu.getVcpuEvents().tripleFault.pending, 1);
  runUntil(vcpu, "shutdown");
  using without = startLong(hlt);
  assertCode("EINVAL", () => without.vcpu.setVcpuEvents(events));
});

Deno.test(
  needs(
    "an instruction that can't be emulated at level 3 is #UD, or an exit",
    "EXIT_ON_EMULATION_FAILURE",
  ),
  () => {
    const run = (setup: (vm: Vm) => void) => {
      using guest = runGuest({
        code: Uint8Array.from(popcnt),
        registers: { rdi: 0xd000_0000n },
        cpl: 3,
        setup,
        ends: ["exception", "internalError"],
      });
      const { exit } = guest;
      return exit.reason === "internalError"
        ? [...exit.instruction?.subarray(0, 5) ?? []]
        : guest.exception?.name;
    };
    assertEquals(run((vm) => vm.exitOnEmulationFailure()), popcnt.slice(0, 5));
    // An interpreter makes it an exit anyway.
    if (!interpreted) assertEquals(run(() => {}), "#UD");
  },
);

Deno.test(needs("a bus lock of the guest's exits", "X86_BUS_LOCK_EXIT"), () => {
  // The last byte of a cache line, and three of the next.
  const registers = { rdi: 0x203fn };
  using machine = startLong(lockInc, { registers }, (vm) => vm.busLockExit());
  const { vcpu, memory } = machine;
  const { reason } = vcpu.run({ timeout: 5000 });
  const { flags } = vcpu.kvmRun;
  assert(reason === "x86BusLock" || (flags & RunFlag.BUS_LOCK) !== 0, `${reason}, flags ${flags}`);
  if (reason === "x86BusLock") runUntil(vcpu, "hlt");
  assertEquals(memory.readU32(0x203f), 1);
});

Deno.test(needs("a guest that lets interrupts through is not noticed", "X86_NOTIFY_VMEXIT"), () => {
  using machine = startLong(hlt, {}, (vm) => vm.notifyVmexit(128_000));
  runUntil(machine.vcpu, "hlt");
});

Deno.test("what the host lacks is EOPNOTSUPP, and what can't be is EINVAL", () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  assertCode("EINVAL", () => vm.notifyVmexit(-1));
  assertCode("EINVAL", () => vm.notifyVmexit(2 ** 32));
  if (vm.check(Cap.X86_NOTIFY_VMEXIT) === 0) assertCode("EOPNOTSUPP", () => vm.notifyVmexit(0));
  if (vm.check(Cap.X86_BUS_LOCK_EXIT) === 0) assertCode("EOPNOTSUPP", () => vm.busLockExit());
  if (vm.check(Cap.EXIT_HYPERCALL) > 0) assertCode("EOPNOTSUPP", () => vm.exitHypercall(1n << 63n));
  if (vm.check(Cap.X86_USER_SPACE_MSR) > 0) assertCode("EINVAL", () => vm.userSpaceMsr(1 << 20));
});

const KVM_HC_KICK_CPU = 5n;
const KVM_HC_MAP_GPA_RANGE = 12n;

/** Whether a guest's hypercall comes back; asked of the guest, since no capability tells. */
function hypercallsWork(): boolean {
  using machine = startLong(vmcall, { registers: { rax: KVM_HC_KICK_CPU } });
  return machine.vcpu.run({ timeout: 200 }).reason === "hlt";
}

Deno.test({
  ...needing("hypercalls by VMCALL", hypercallsWork(), "a hypercall exits if it is asked for"),
  fn() {
    const registers = { rax: KVM_HC_MAP_GPA_RANGE, rbx: 0x3000n, rcx: 1n, rdx: 0n };
    using kvm = Kvm.open();
    const mask = 1 << Number(KVM_HC_MAP_GPA_RANGE);
    if ((kvm.check(Cap.EXIT_HYPERCALL) & mask) === 0) return;
    using machine = startLong(vmcall, { registers }, (vm) => vm.exitHypercall(mask));
    const { vcpu } = machine;
    vcpu.setCpuid(kvm.getSupportedCpuid());
    using _limit = vcpu.interruptAfter(5000);
    const exit = runUntil(vcpu, "hypercall");
    assertEquals([exit.nr, exit.args[0], exit.args[1]], [KVM_HC_MAP_GPA_RANGE, 0x3000n, 1n]);
    exit.ret = 0n;
    runUntil(vcpu, "hlt");
    assertEquals(vcpu.getRegs().rax, 0n);
    assertGreater(vcpu.getRegs().rip, 0x1000n);
  },
});
