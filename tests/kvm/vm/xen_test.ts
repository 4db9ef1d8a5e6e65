/**
 * Event channels of Xen guests, delivered by KVM (api.rst 4.126-4.129, 5.44): what is sent becomes
 * pending in the shared-info page, and the vCPU's info page has it call the guest back by a vector.
 */

import { assertEquals } from "@std/assert";
import { Cap, XenAttrType, XenHvmConfig, XenMsr, XenVcpuAttrType } from "../../../ffi/uapi/mod.ts";
import { longMode } from "../../../src/boot/mod.ts";
import { defaultGsiRoutes, EventFd, Kvm, type Vcpu, type Vm } from "../../../src/kvm/mod.ts";
import type { MemorySlot } from "../../../src/memory/mod.ts";
import { runUntil } from "../../support/machine.ts";
import { needs } from "../../support/needs.ts";

const VECTOR = 0x93;
const SHARED_INFO = 0x5000;
const VCPU_INFO = 0x6000;
/** Of Xen's `struct shared_info`: a bit for each channel. */
const PENDING = SHARED_INFO + 0x800;
const MASK = SHARED_INFO + 0xa00;
/** Of `struct vcpu_info`: whether to call back; a bit for each word of channels. */
const UPCALL_PENDING = VCPU_INFO;
const PENDING_SELECTOR = VCPU_INFO + 8;
const EVTCHN_PRIO_2LEVEL = 0xffff_ffff;
const PORT = 70;

/**
 * sti; again: hlt; jmp again. The handler at 16 reports: mov byte [UPCALL_PENDING], 0; mov rax,
 * [PENDING + 8]; mov qword [PENDING + 8], 0; mov qword [PENDING_SELECTOR], 0; out 0x80, eax; iretq
 */
const guest = Uint8Array.of(
  ...[
    0xfb,
    0xf4,
    0xeb,
    0xfd,
    0x90,
    0x90,
    0x90,
    0x90,
    0x90,
    0x90,
    0x90,
    0x90,
    0x90,
    0x90,
    0x90,
    0x90,
  ],
  ...[0xc6, 0x04, 0x25, 0x00, 0x60, 0x00, 0x00, 0x00],
  ...[0x48, 0x8b, 0x04, 0x25, 0x08, 0x58, 0x00, 0x00],
  ...[0x48, 0xc7, 0x04, 0x25, 0x08, 0x58, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00],
  ...[0x48, 0xc7, 0x04, 0x25, 0x08, 0x60, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00],
  ...[0xe7, 0x80, 0x48, 0xcf],
);

interface XenGuest extends Disposable {
  readonly vm: Vm;
  readonly vcpu: Vcpu;
  readonly memory: MemorySlot;
}

/** A guest that waits for events of vCPU 0. */
function xenGuest(): XenGuest {
  using kvm = Kvm.open();
  const vm = kvm.createVm();
  vm.createIrqchip();
  vm.xenHvmConfig({
    msr: XenMsr.MIN,
    flags: XenHvmConfig.INTERCEPT_HCALL |
      (vm.check(Cap.XEN_HVM) & XenHvmConfig.EVTCHN_SEND),
  });
  const memory = vm.addMemory({ size: 2 << 20 });
  const vcpu = vm.createVcpu(0);
  vm.xenHvmSetAttr({ type: XenAttrType.LONG_MODE, u: { longMode: 1 } });
  const sharedInfo = { gfn: BigInt(SHARED_INFO / 4096) };
  vm.xenHvmSetAttr({ type: XenAttrType.SHARED_INFO, u: { sharedInfo } });
  vm.xenHvmSetAttr({ type: XenAttrType.UPCALL_VECTOR, u: { vector: VECTOR } });
  vcpu.xenVcpuSetAttr({ type: XenVcpuAttrType.VCPU_INFO, u: { gpa: BigInt(VCPU_INFO) } });
  longMode(vcpu, memory, {
    code: guest,
    idt: { handlers: { [VECTOR]: 0x1010 } },
    avoid: [{ guestPhysAddr: SHARED_INFO, size: 0x2000 }],
  });
  return { vm, vcpu, memory, [Symbol.dispose]: () => vm.close() };
}

/** The channels of the second word that the guest was called back for. */
function called({ vcpu }: XenGuest): number {
  using _limit = vcpu.interruptAfter(5000);
  return runUntil(vcpu, "io").value;
}

const BIT = 1 << (PORT - 64);
const event = { port: PORT, vcpu: 0, priority: EVTCHN_PRIO_2LEVEL };

/** Whether KVM can send events itself. */
function sends(): boolean {
  using kvm = Kvm.open();
  return (kvm.check(Cap.XEN_HVM) & XenHvmConfig.EVTCHN_SEND) !== 0;
}

function needsSend(name: string) {
  const { name: full, ignore } = needs(name, "XEN_HVM");
  return { name: full, ignore: ignore || !sends() };
}

Deno.test(needsSend("an event that is sent calls the guest back, and says which it is"), () => {
  using machine = xenGuest();
  const { vm, memory } = machine;
  vm.xenHvmEvtchnSend(event);
  assertEquals(memory.readU64(PENDING + 8), BigInt(BIT));
  assertEquals([memory.readU8(UPCALL_PENDING), memory.readU64(PENDING_SELECTOR)], [1, 2n]);
  assertEquals(called(machine), BIT);
  assertEquals(memory.readU8(UPCALL_PENDING), 0);
  vm.xenHvmEvtchnSend({ ...event, port: PORT + 1 });
  assertEquals(called(machine), BIT << 1);
});

Deno.test(needsSend("an event that the guest has masked is pending, and no call"), () => {
  using machine = xenGuest();
  const { vm, vcpu, memory } = machine;
  memory.writeU64(MASK + 8, BigInt(BIT));
  try {
    vm.xenHvmEvtchnSend(event);
  } catch {
    // Whether that is an error differs: it is not delivered.
  }
  assertEquals(memory.readU64(PENDING + 8), BigInt(BIT));
  assertEquals(memory.readU8(UPCALL_PENDING), 0);
  assertEquals(vcpu.run({ timeout: 50 }).reason, "intr");
});

Deno.test(needsSend("a line that leads to an event channel calls back, by an eventfd too"), () => {
  using machine = xenGuest();
  const { vm } = machine;
  vm.setGsiRouting([...defaultGsiRoutes(), { gsi: 24, xenEvtchn: { port: PORT, vcpu: 0 } }]);
  using source = new EventFd();
  using _irqfd = vm.irqfd(source, 24);
  source.write();
  assertEquals(called(machine), BIT);
  vm.setIrqLine(24, true);
  assertEquals(called(machine), BIT);
});

Deno.test(
  needsSend("a vCPU's own vector is taken instead of the VM's, and its timer is an event"),
  () => {
    using machine = xenGuest();
    const { vcpu } = machine;
    vcpu.xenVcpuSetAttr({ type: XenVcpuAttrType.VCPU_ID, u: { vcpuId: 0 } });
    assertEquals(vcpu.xenVcpuGetAttr(XenVcpuAttrType.VCPU_ID).u.vcpuId, 0);
    // In the past: it fires at once.
    const timer = { port: PORT + 2, priority: EVTCHN_PRIO_2LEVEL, expiresNs: 1n };
    vcpu.xenVcpuSetAttr({ type: XenVcpuAttrType.TIMER, u: { timer } });
    assertEquals(called(machine), BIT << 2);
  },
);
