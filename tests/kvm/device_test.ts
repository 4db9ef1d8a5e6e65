import { assert, assertEquals, assertGreater } from "@std/assert";
import { Cap, DeviceType, SystemAttr, VfioAttr } from "../../ffi/uapi/mod.ts";
import { Kvm } from "../../src/kvm/mod.ts";
import { assertCode } from "../support/codes.ts";
import { needing, openFiles } from "../support/host.ts";
import { needs } from "../support/needs.ts";

function hasVfio(): boolean {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  return vm.canCreateDevice(DeviceType.VFIO);
}

Deno.test({
  ...needing("KVM's VFIO device", hasVfio(), "a device has the attributes that it says it has"),
  fn() {
    using kvm = Kvm.open();
    using vm = kvm.createVm();
    using vfio = vm.createDevice(DeviceType.VFIO);
    assertEquals(vfio.type, DeviceType.VFIO);
    assertEquals(vfio.hasDeviceAttr(VfioAttr.FILE, VfioAttr.FILE_ADD), true);
    assertEquals(vfio.hasDeviceAttr(VfioAttr.FILE, VfioAttr.FILE_DEL), true);
    assertEquals(vfio.hasDeviceAttr(VfioAttr.FILE, 99), false);
    assertEquals(vfio.hasDeviceAttr(99, 0), false);
    // The kernel reads the value: -1 is no file, and the VM's is no VFIO group.
    assertCode("EBADF", () => vfio.setDeviceAttr(VfioAttr.FILE, VfioAttr.FILE_ADD, -1));
    assertCode("EINVAL", () => vfio.setDeviceAttr(VfioAttr.FILE, VfioAttr.FILE_ADD, vm.fd));
    const bytes = new Uint8Array(Int32Array.of(vm.fd).buffer);
    assertCode("EINVAL", () => vfio.setDeviceAttr(VfioAttr.FILE, VfioAttr.FILE_ADD, bytes));
    assertCode("ENXIO", () => vfio.setDeviceAttr(99, 0, 1n));
    assertCode("EBUSY", () => vm.createDevice(DeviceType.VFIO));
    for (const value of [1.5, NaN, "1" as unknown as number, new Uint8Array(5000)]) {
      assertCode("EINVAL", () => vfio.setDeviceAttr(VfioAttr.FILE, VfioAttr.FILE_ADD, value));
    }
  },
});

Deno.test({
  ...needing("KVM's VFIO device", hasVfio(), "a closed device refuses, and leaks nothing"),
  fn() {
    using kvm = Kvm.open();
    const before = openFiles();
    const vm = kvm.createVm();
    const vfio = vm.createDevice(DeviceType.VFIO);
    vfio.close();
    vfio.close();
    assertCode("EBADF", () => vfio.hasDeviceAttr(VfioAttr.FILE, VfioAttr.FILE_ADD));
    assertCode("EBADF", () => vfio.setDeviceAttr(VfioAttr.FILE, VfioAttr.FILE_ADD, 0));
    vm.close();
    assertCode("EBADF", () => vm.createDevice(DeviceType.VFIO));
    assertEquals(openFiles(), before);
  },
});

Deno.test("a type of device that there is not can't be created", () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  assertEquals(vm.canCreateDevice(1000), false);
  assertCode("ENODEV", () => vm.createDevice(1000));
  for (const type of [-1, 0.5, 2 ** 32]) {
    assertCode("EINVAL", () => vm.createDevice(type));
    assertCode("EINVAL", () => vm.canCreateDevice(type));
  }
});

const { GRP_SYSTEM, XCOMP_GUEST_SUPP } = SystemAttr;

Deno.test(needs("KVM tells what processor state guests can have", "SYS_ATTRIBUTES"), () => {
  using kvm = Kvm.open();
  assertEquals(kvm.hasDeviceAttr(GRP_SYSTEM, XCOMP_GUEST_SUPP), true);
  const features = kvm.getDeviceAttr(GRP_SYSTEM, XCOMP_GUEST_SUPP);
  // Leaf 0xd tells the same, less what has to be asked for (AMX).
  const leaf = kvm.getSupportedCpuid().find(0xd, 0);
  if (leaf !== undefined) assertEquals(BigInt(leaf.eax) & ~features, 0n);
  if (features !== 0n) assertGreater(Number(features & 3n), 0, "x87 and SSE");
  assertEquals(kvm.hasDeviceAttr(GRP_SYSTEM, 99), false);
  assertEquals(kvm.hasDeviceAttr(99, 0), false);
  assertCode("ENXIO", () => kvm.getDeviceAttr(GRP_SYSTEM, 99));
  assertCode("EINVAL", () => kvm.getDeviceAttr(-1, 0));
});

Deno.test("Hyper-V's leaves are told, or the host lacks them", () => {
  using kvm = Kvm.open();
  if (kvm.check(Cap.SYS_HYPERV_CPUID) === 0) {
    assertCode("EOPNOTSUPP", () => kvm.getSupportedHvCpuid());
    return;
  }
  const HYPERV_INTERFACE = 0x4000_0001;
  const interfaceLeaf = kvm.getSupportedHvCpuid().find(HYPERV_INTERFACE);
  assert(interfaceLeaf !== undefined);
  // "Hv#1"
  assertEquals(interfaceLeaf.eax, 0x3123_7648);
});
