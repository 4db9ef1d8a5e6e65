/**
 * A hypervisor as the guest, with a guest of its own (APM volume 2, chapter 15): its state is saved
 * while the inner guest runs, and goes on in another VM.
 */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { NestedState } from "../../../ffi/uapi/mod.ts";
import { EFER, MSR } from "../../../src/arch/x86/mod.ts";
import { longMode } from "../../../src/boot/mod.ts";
import { Kvm, type Vcpu, type Vm } from "../../../src/kvm/mod.ts";
import type { MemorySlot } from "../../../src/memory/mod.ts";
import { assertCode } from "../../support/codes.ts";
import { needing } from "../../support/host.ts";
import { runUntil, supportedCpuid } from "../../support/machine.ts";
import { needs } from "../../support/needs.ts";

const INNER = 0x3000;
const INNER_STACK = 0x5000;
const VMCB = 0x8000;
const HOST_SAVE = 0x9000;

/** mov eax, VMCB; vmrun rax; out 0x81, al; hlt */
const outer = Uint8Array.of(
  ...[0xb8, 0x00, 0x80, 0x00, 0x00, 0x0f, 0x01, 0xd8],
  ...[0xe6, 0x81, 0xf4],
);

/** mov al, 5; out 0x80, al; inc al; out 0x82, al; vmmcall */
const inner = Uint8Array.of(
  ...[0xb0, 0x05, 0xe6, 0x80, 0xfe, 0xc0, 0xe6, 0x82],
  ...[0x0f, 0x01, 0xd9],
);

/** The parts of a VMCB that count here (APM volume 2, appendix B). */
const Vmcb = {
  INTERCEPTS: 0x10,
  ASID: 0x58,
  EXIT_CODE: 0x70,
  CS: 0x410,
  SS: 0x420,
  DS: 0x430,
  EFER: 0x4d0,
  CR4: 0x548,
  CR3: 0x550,
  CR0: 0x558,
  RFLAGS: 0x570,
  RIP: 0x578,
  RSP: 0x5d8,
} as const;

const VMRUN_AND_VMMCALL = 3;
const EXIT_VMMCALL = 0x81n;

interface Machine extends Disposable {
  readonly vm: Vm;
  readonly vcpu: Vcpu;
  readonly memory: MemorySlot;
}

/** A VM whose vCPU can be a hypervisor. */
function machine(): Machine {
  using kvm = Kvm.open();
  const vm = kvm.createVm();
  const memory = vm.addMemory({ size: 2 << 20 });
  const vcpu = vm.createVcpu(0);
  vcpu.setCpuid(supportedCpuid());
  return { vm, vcpu, memory, [Symbol.dispose]: () => vm.close() };
}

/** Starts a hypervisor, whose guest shares its page tables and segments, and runs up to `out 0x80`. */
function runInner({ vcpu, memory }: Machine): void {
  longMode(vcpu, memory, { code: outer });
  vcpu.setSregs({ efer: vcpu.getSregs().efer | EFER.SVME });
  vcpu.setMsr(MSR.VM_HSAVE_PA, BigInt(HOST_SAVE));
  memory.writeBytes(INNER, inner);
  const { cr0, cr3, cr4, efer, cs, ss } = vcpu.getSregs();
  const at = (offset: number) => VMCB + offset;
  const segment = (offset: number, selector: number, attributes: number) => {
    memory.writeU16(at(offset), selector);
    memory.writeU16(at(offset + 2), attributes);
    memory.writeU32(at(offset + 4), 0xffff_ffff);
  };
  // Long-mode code and data of level 0: type, S, present, L, granularity.
  segment(Vmcb.CS, cs.selector, 0xa9b);
  for (const offset of [Vmcb.SS, Vmcb.DS]) segment(offset, ss.selector, 0xc93);
  memory.writeU32(at(Vmcb.INTERCEPTS), VMRUN_AND_VMMCALL);
  memory.writeU32(at(Vmcb.ASID), 1);
  for (
    const [offset, value] of [
      [Vmcb.EFER, efer],
      [Vmcb.CR0, cr0],
      [Vmcb.CR3, cr3],
      [Vmcb.CR4, cr4],
      [Vmcb.RFLAGS, 2n],
      [Vmcb.RIP, BigInt(INNER)],
      [Vmcb.RSP, BigInt(INNER_STACK)],
    ] as const
  ) memory.writeU64(at(offset), value);
  const out = runUntil(vcpu, "io");
  assertEquals([out.port, out.value], [0x80, 5]);
}

/** What is left to do: the inner guest's second port, and its hypervisor's. */
function runRest({ vcpu, memory }: Machine): void {
  const second = runUntil(vcpu, "io");
  assertEquals([second.port, second.value], [0x82, 6]);
  assertEquals(runUntil(vcpu, "io").port, 0x81);
  assertEquals(memory.readU64(VMCB + Vmcb.EXIT_CODE), EXIT_VMMCALL);
  runUntil(vcpu, "hlt");
}

const svm = supportedCpuid().has("svm") && !needs("", "NESTED_STATE").ignore;
const SVM = "nested SVM";

Deno.test(needing(SVM, svm, "the state tells whether a hypervisor or its guest runs"), () => {
  using one = machine();
  const { vcpu, memory } = one;
  runInner(one);
  const state = vcpu.getNestedState();
  assertEquals(state.format, NestedState.FORMAT_SVM);
  assertEquals(state.flags & NestedState.GUEST_MODE, NestedState.GUEST_MODE);
  assertEquals(state.hdr.svm.vmcbPa, BigInt(VMCB));
  assert(state.data.length >= NestedState.SVM_VMCB_SIZE);
  assertEquals(Math.floor(Number(vcpu.getRegs().rip) / 0x1000), INNER / 0x1000);
  runRest(one);
  const after = vcpu.getNestedState();
  assertEquals(after.flags & NestedState.GUEST_MODE, 0);
  assertEquals(memory.readU8(INNER), inner[0]);
});

Deno.test(
  needing(SVM, svm, "a guest of the guest goes on in another VM, and returns to its hypervisor"),
  () => {
    using from = machine();
    runInner(from);
    // The OUT is over only with the next run.
    from.vcpu.requestImmediateExit();
    runUntil(from.vcpu, "intr");
    using to = machine();
    to.memory.all.set(from.memory.all);
    // EFER.SVME comes first, and then the rest of what belongs to the inner guest.
    to.vcpu.setSregs(from.vcpu.getSregs());
    to.vcpu.setNestedState(from.vcpu.getNestedState());
    to.vcpu.setRegs(from.vcpu.getRegs());
    to.vcpu.setMsr(MSR.VM_HSAVE_PA, from.vcpu.getMsr(MSR.VM_HSAVE_PA));
    to.vcpu.setVcpuEvents(from.vcpu.getVcpuEvents());
    const { flags, hdr } = to.vcpu.getNestedState();
    assertEquals([flags & NestedState.GUEST_MODE, hdr.svm.vmcbPa], [
      NestedState.GUEST_MODE,
      BigInt(VMCB),
    ]);
    runRest(to);
    // The one that it was taken from can go on as well.
    runRest(from);
  },
);

Deno.test(needing(SVM, svm, "a state with a guest needs the hypervisor's registers first"), () => {
  using from = machine();
  runInner(from);
  const state = from.vcpu.getNestedState();
  using to = machine();
  // Without EFER.SVME there is no hypervisor that could have a guest.
  assertCode("EINVAL", () => to.vcpu.setNestedState(state));
  assertNotEquals(to.vcpu.getNestedState().flags & NestedState.GUEST_MODE, NestedState.GUEST_MODE);
});
