import { assertEquals, assertStringIncludes } from "@std/assert";
import { Cap, SevCommand, XenAttrType, XenHvmConfig, XenMsr } from "../../../ffi/uapi/mod.ts";
import { longMode } from "../../../src/boot/mod.ts";
import { EventFd, Kvm } from "../../../src/kvm/mod.ts";
import { assertCode } from "../../support/codes.ts";
import { bare, runUntil } from "../../support/machine.ts";
import { needs } from "../../support/needs.ts";

const PAGE = 4096;

Deno.test(needs("a Xen guest finds its hypercall page where it asked for it", "XEN_HVM"), () => {
  /** wrmsr; hlt */
  const wrmsr = Uint8Array.of(0x0f, 0x30, 0xf4);
  const msr = XenMsr.MIN;
  using machine = bare(2 << 20);
  const { vm, vcpu, memory } = machine;
  const blob64 = new Uint8Array(PAGE).fill(0xc3);
  vm.xenHvmConfig({ msr, blob64 });
  // The kernel has a copy of ours, and not what becomes of this one.
  blob64.fill(0);
  longMode(vcpu, memory, { code: wrmsr, registers: { rcx: BigInt(msr), rax: 0x3000n } });
  runUntil(vcpu, "hlt");
  assertEquals(memory.readBytes(0x3000, PAGE).every((byte) => byte === 0xc3), true);
});

Deno.test(needs("a Xen guest's hypercall comes to user space", "XEN_HVM"), () => {
  const msr = XenMsr.MIN;
  using machine = bare(2 << 20);
  const { vm, vcpu, memory } = machine;
  if ((vm.check(Cap.XEN_HVM) & XenHvmConfig.INTERCEPT_HCALL) === 0) return;
  vm.xenHvmConfig({ msr, flags: XenHvmConfig.INTERCEPT_HCALL });
  vm.xenHvmSetAttr({ type: XenAttrType.LONG_MODE, u: { longMode: 1 } });
  assertEquals(vm.xenHvmGetAttr(XenAttrType.LONG_MODE).u.longMode, 1);
  // mov ecx, msr; mov eax, 0x3000; xor edx, edx; wrmsr; mov edi, 7; mov ecx, 0x3000 + 17 * 32;
  // call rcx; hlt
  const code = Uint8Array.fromHex(
    "b900000040b80030000031d20f30bf07000000b920320000ffd1f4",
  );
  longMode(vcpu, memory, { code });
  using _limit = vcpu.interruptAfter(5000);
  const exit = runUntil(vcpu, "xen");
  assertEquals([exit.u.hcall.input, exit.u.hcall.params[0]], [17n, 7n]);
  exit.u.hcall.result = 0x40006n;
  runUntil(vcpu, "hlt");
  assertEquals(vcpu.getRegs().rax, 0x40006n);
});

Deno.test(needs("a Xen VM's attributes are set and read back", "XEN_HVM"), () => {
  using machine = bare();
  const { vm } = machine;
  const { SHARED_INFO, EVTCHN_SEND } = XenHvmConfig;
  if ((vm.check(Cap.XEN_HVM) & SHARED_INFO) === 0) return;
  vm.xenHvmSetAttr({ type: XenAttrType.SHARED_INFO, u: { sharedInfo: { gfn: 5n } } });
  assertEquals(vm.xenHvmGetAttr(XenAttrType.SHARED_INFO).u.sharedInfo.gfn, 5n);
  vm.xenHvmSetAttr({ type: XenAttrType.UPCALL_VECTOR, u: { vector: 0x93 } });
  assertEquals(vm.xenHvmGetAttr(XenAttrType.UPCALL_VECTOR).u.vector, 0x93);
  assertCode("ENOENT", () => vm.xenHvmGetAttr(99));
  if ((vm.check(Cap.XEN_HVM) & EVTCHN_SEND) === 0) return;
  assertCode("EINVAL", () => vm.xenHvmEvtchnSend({ port: 0, vcpu: 0, priority: 0 }));
});

Deno.test("Xen's interface is refused where the host has none, and what can't be everywhere", () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  const sharedInfo = { hva: 0x1000n };
  const hva = { type: XenAttrType.SHARED_INFO_HVA, u: { sharedInfo } };
  const error = assertCode("EINVAL", () => vm.xenHvmSetAttr(hva));
  assertStringIncludes(error.message, "host address");
  assertCode("EINVAL", () => vm.xenHvmConfig({ blob32: new Uint8Array(100) }));
  assertCode("EINVAL", () => vm.xenHvmConfig({ blob64: new Uint8Array(256 * PAGE) }));
  assertCode("EINVAL", () => vm.xenHvmConfig({ flags: -1 }));
  assertCode("EINVAL", () => vm.xenHvmGetAttr(-1));
  if (vm.check(Cap.XEN_HVM) > 0) return;
  assertCode("EOPNOTSUPP", () => vm.xenHvmConfig());
  assertCode("EOPNOTSUPP", () => vm.xenHvmGetAttr(XenAttrType.LONG_MODE));
  assertCode("EOPNOTSUPP", () => vm.xenHvmSetAttr({ type: XenAttrType.LONG_MODE }));
  assertCode("EOPNOTSUPP", () => vm.xenHvmEvtchnSend({ port: 1 }));
});

Deno.test(needs("a Hyper-V connection has one eventfd at a time", "HYPERV_EVENTFD"), () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  using event = new EventFd();
  vm.hypervEventfd(7, event);
  assertCode("EEXIST", () => vm.hypervEventfd(7, event));
  vm.hypervEventfd(7, undefined);
  assertCode("ENOENT", () => vm.hypervEventfd(7, undefined));
});

Deno.test("a Hyper-V connection that can't be is refused", () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  assertCode("EINVAL", () => vm.hypervEventfd(1 << 24, undefined));
  if (vm.check(Cap.HYPERV_EVENTFD) > 0) return;
  using event = new EventFd();
  assertCode("EOPNOTSUPP", () => vm.hypervEventfd(1, event));
});

Deno.test("an ordinary VM takes no command of encrypted ones", () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  const error = assertCode("ENOTTY", () => vm.memoryEncryptOp(SevCommand.GUEST_STATUS));
  assertStringIncludes(error.message, "SEV or TDX");
  assertCode("ENOTTY", () => vm.sevCommand(SevCommand.LAUNCH_START, { policy: 1 }));
  assertCode("EINVAL", () => vm.memoryEncryptOp(-1));
  assertCode("EINVAL", () => vm.memoryEncryptOp(0, new Uint8Array(1 << 20)));
  assertCode("EINVAL", () => vm.memoryEncryptOp(0, undefined, { sevFd: -1 }));
  vm.close();
  assertCode("EBADF", () => vm.memoryEncryptOp(SevCommand.GUEST_STATUS));
});
