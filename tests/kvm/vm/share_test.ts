import { assert, assertEquals } from "@std/assert";
import { Kvm } from "../../../src/kvm/mod.ts";
import { VcpuRunner } from "../../../src/kvm/thread/mod.ts";
import { realMode } from "../../../src/boot/mod.ts";
import { assertCode } from "../../support/codes.ts";
import { openTargets } from "../../support/host.ts";

/** again: inc word [0x2000]; out 0x80, al; jmp again */
const code = Uint8Array.of(0xff, 0x06, 0x00, 0x20, 0xe6, 0x80, 0xeb, 0xf8);
const COUNT = 0x2000;

/** A VM whose guest counts. */
function counter(kvm: Kvm) {
  const vm = kvm.createVm();
  const memory = vm.addMemory({ size: 1 << 20 });
  const vcpu = vm.createVcpu(0);
  realMode(vcpu, memory, { code });
  return { vm, memory, vcpu };
}

const own = () => openTargets().filter((target) => target.includes("kvm")).length;

Deno.test("a VM that is closed takes its memory from the guest of whoever shares its vCPU", () => {
  const before = own();
  {
    using kvm = Kvm.open();
    const { vm, vcpu, memory } = counter(kvm);
    using shared = vm.share(vcpu);
    using runner = new VcpuRunner(shared.share);
    assertEquals(runner.run().reason, "io");
    assertEquals(memory.readU16(COUNT), 1);
    vm.close();
    // What it is depends on the processor; it is nothing that the guest's code does.
    const { reason } = runner.run();
    assert(["internalError", "shutdown", "mmio", "memoryFault"].includes(reason), reason);
  }
  assertEquals(own(), before);
});

Deno.test("what is shared stays itself when its numbers have become another VM's", () => {
  using kvm = Kvm.open();
  const { vm, vcpu } = counter(kvm);
  using shared = vm.share(vcpu);
  const numbers = [vm.fd, vcpu.fd];
  vm.close();
  const other = counter(kvm);
  using _other = other.vm;
  assertEquals([other.vm.fd, other.vcpu.fd].toSorted(), numbers.toSorted());
  using runner = new VcpuRunner(shared.share);
  assert(runner.run().reason !== "io");
  assertEquals(other.memory.readU16(COUNT), 0);
});

Deno.test("a closed VM is not shared any more", () => {
  using kvm = Kvm.open();
  const { vm, vcpu } = counter(kvm);
  vm.close();
  assertCode("EBADF", () => vm.share(vcpu));
});
