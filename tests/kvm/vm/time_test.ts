import { assert, assertEquals, assertGreater, assertGreaterOrEqual, assertLess } from "@std/assert";
import { Cap, ClockFlag } from "../../../ffi/uapi/mod.ts";
import { longMode } from "../../../src/boot/mod.ts";
import { Kvm, type Vcpu, type Vm } from "../../../src/kvm/mod.ts";
import { assertCode } from "../../support/codes.ts";
import { bare, runUntil, supportedCpuid } from "../../support/machine.ts";
import { needs } from "../../support/needs.ts";

const SECOND = 1_000_000_000n;
const HOUR = 3600n * SECOND;

Deno.test(needs("a VM's clock is set and goes on from there", "ADJUST_CLOCK"), () => {
  using machine = bare();
  const { vm } = machine;
  vm.setClock({ clock: HOUR });
  const first = vm.getClock().clock;
  const second = vm.getClock();
  assertGreaterOrEqual(first, HOUR);
  assertGreaterOrEqual(second.clock, first);
  assertLess(second.clock, HOUR + 60n * SECOND);
  // A view is read in place, and set as it is.
  vm.setClock({ clock: 5n * HOUR });
  const into = vm.getClock(second);
  assert(into === second && into.clock >= 5n * HOUR);
});

Deno.test({
  ...needs("a snapshot's clock catches up with the time that has passed", "ADJUST_CLOCK"),
  fn() {
    using machine = bare();
    const { vm } = machine;
    if ((vm.check(Cap.ADJUST_CLOCK) & ClockFlag.REALTIME) === 0) return;
    vm.setClock({ clock: HOUR });
    const snapshot = vm.getClock();
    assertEquals(snapshot.flags & ClockFlag.REALTIME, ClockFlag.REALTIME);
    const now = BigInt(Date.now()) * 1_000_000n;
    const distance = now - snapshot.realtime;
    assertLess(distance < 0n ? -distance : distance, 60n * SECOND);
    // As if it had been taken an hour ago.
    const { clock, realtime } = snapshot;
    vm.setClock({ clock, realtime: realtime - HOUR, flags: ClockFlag.REALTIME });
    assertGreaterOrEqual(vm.getClock().clock, clock + HOUR);
  },
});

Deno.test(needs("a clock with an unknown flag is EINVAL", "ADJUST_CLOCK"), () => {
  using machine = bare();
  assertCode("EINVAL", () => machine.vm.setClock({ clock: 0n, flags: 1 << 30 }));
  machine.vm.close();
  assertCode("EBADF", () => machine.vm.getClock());
});

const MSR_KVM_SYSTEM_TIME_NEW = 0x4b56_4d01n;
const TIME_INFO = 0x3000;

/** wrmsr; hlt: the guest tells KVM where its clock's page is. */
const setSystemTime = Uint8Array.of(0x0f, 0x30, 0xf4);

/** The system time that KVM has written for the guest, in nanoseconds. */
function guestClock(vm: Vm, vcpu: Vcpu): bigint {
  const registers = { rcx: MSR_KVM_SYSTEM_TIME_NEW, rax: BigInt(TIME_INFO | 1) };
  longMode(vcpu, vm.memory, { code: setSystemTime, registers });
  runUntil(vcpu, "hlt");
  // struct pvclock_vcpu_time_info: version, pad, tsc_timestamp, system_time.
  return vm.memory.readU64(TIME_INFO + 16);
}

Deno.test(needs("the guest sees the clock that was set", "ADJUST_CLOCK", "CLOCKSOURCE"), () => {
  using machine = bare();
  const { vm, vcpu } = machine;
  vcpu.setCpuid(supportedCpuid());
  assertLess(guestClock(vm, vcpu), HOUR);
  vm.setClock({ clock: 7n * HOUR });
  const seen = guestClock(vm, vcpu);
  assert(seen >= 7n * HOUR && seen < 8n * HOUR, `${seen} ns`);
});

Deno.test(needs("a VM's TSC rate is that of its vCPUs", "VM_TSC_CONTROL"), () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  const host = vm.getTscKhz();
  assertGreater(host, 0);
  const half = Math.floor(host / 2);
  vm.setTscKhz(half);
  assertEquals(vm.getTscKhz(), half);
  using vcpu = vm.createVcpu(0);
  assertEquals(vcpu.getTscKhz(), half);
  assertCode("EINVAL", () => vm.setTscKhz(host), "after the first vCPU");
});

Deno.test("without TSC scaling a VM's rate is EOPNOTSUPP, and one that can't be EINVAL", () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  for (const khz of [-1, 1.5, NaN, 2 ** 32]) assertCode("EINVAL", () => vm.setTscKhz(khz));
  if (vm.check(Cap.VM_TSC_CONTROL) > 0) return;
  assertCode("EOPNOTSUPP", () => vm.getTscKhz());
  assertCode("EOPNOTSUPP", () => vm.setTscKhz(1_000_000));
});
