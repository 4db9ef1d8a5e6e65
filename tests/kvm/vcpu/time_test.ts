import { assert, assertEquals } from "@std/assert";
import { VcpuTsc } from "../../../ffi/uapi/mod.ts";
import { MSR } from "../../../src/arch/x86/mod.ts";
import { Kvm } from "../../../src/kvm/mod.ts";
import { assertCode } from "../../support/codes.ts";
import { needing } from "../../support/host.ts";
import { bare, type Machine, runUntil, startLong } from "../../support/machine.ts";
import { needs } from "../../support/needs.ts";
import { hasTscOffset } from "./probes.ts";

const OFFSET = "a TSC whose offset can be set";
const offset = hasTscOffset();

/** At 0x1000: rdtsc into the cell at 0x3000, then out 0x80, al; and again. */
const readTsc = [
  ...[0x0f, 0x31], // rdtsc
  ...[0x89, 0x04, 0x25, 0x00, 0x30, 0x00, 0x00], // mov [0x3000], eax
  ...[0x89, 0x14, 0x25, 0x04, 0x30, 0x00, 0x00], // mov [0x3004], edx
  ...[0xe6, 0x80], // out 0x80, al
  ...[0xeb, 0xec], // jmp 0x1000
];

/** What the guest reads next. */
function tscOf({ vcpu, memory }: Machine): bigint {
  runUntil(vcpu, "io");
  return memory.readU64(0x3000);
}

Deno.test(
  needs("the TSC's rate is plausible, and setting the same one works", "GET_TSC_KHZ"),
  () => {
    using machine = bare();
    const { vcpu } = machine;
    const khz = vcpu.getTscKhz();
    assert(khz > 100_000 && khz < 20_000_000, `${khz} kHz`);
    vcpu.setTscKhz(khz);
    assertEquals(vcpu.getTscKhz(), khz);
  },
);

Deno.test(needs("at half the rate a guest's TSC advances half as far", "TSC_CONTROL"), () => {
  using machine = startLong(readTsc);
  const { vcpu } = machine;
  const khz = vcpu.getTscKhz();
  const half = Math.floor(khz / 2);
  vcpu.setTscKhz(half);
  assertEquals(vcpu.getTscKhz(), half);
  const [from, start] = [performance.now(), tscOf(machine)];
  while (performance.now() - from < 50);
  const milliseconds = performance.now() - from;
  const rate = Number(tscOf(machine) - start) / milliseconds;
  assert(rate > 0.6 * half && rate < 1.5 * half, `${rate} kHz, expected ${half}`);
});

Deno.test("rates that can't be are refused", () => {
  using machine = bare();
  for (const khz of [0, -1, 1.5, 2 ** 32, NaN]) {
    assertCode("EINVAL", () => machine.vcpu.setTscKhz(khz), `${khz} kHz`);
  }
});

Deno.test(needing(OFFSET, offset, "the TSC's offset moves the time that a guest reads"), () => {
  using machine = startLong(readTsc);
  const { vcpu } = machine;
  assert(vcpu.hasDeviceAttr(VcpuTsc.CTRL, VcpuTsc.OFFSET));
  const before = tscOf(machine);
  const first = vcpu.getTscOffset();
  const hour = BigInt(vcpu.getTscKhz()) * 3_600_000n;
  vcpu.setTscOffset(first + hour);
  assertEquals(vcpu.getTscOffset(), first + hour);
  const after = tscOf(machine);
  assert(after - before >= hour, "an hour has gone by");
  assert(after - before < hour + hour / 10n, "and not much more");
  assert(vcpu.getMsr(MSR.TSC) - after < hour / 10n, "the MSR shows the same time");
});

Deno.test(needing(OFFSET, offset, "two vCPUs with one offset have one time"), () => {
  using machine = bare();
  const { vm, vcpu } = machine;
  const second = vm.createVcpu(1);
  vcpu.setMsr(MSR.TSC, 5_000_000_000_000n);
  second.setTscOffset(vcpu.getTscOffset());
  const [first, other, last] = [vcpu, second, vcpu].map((each) => each.getMsr(MSR.TSC));
  assert(first! <= other! && other! <= last!);
});

Deno.test(needing(OFFSET, offset, "an offset is a signed number of 64 bits"), () => {
  using machine = bare();
  const { vcpu } = machine;
  vcpu.setTscOffset(-1n);
  assertEquals(vcpu.getTscOffset(), -1n);
  vcpu.setTscOffset(2n ** 64n - 2n);
  assertEquals(vcpu.getTscOffset(), -2n);
});

Deno.test("an offset that has more than 64 bits is refused", () => {
  using machine = bare();
  const { vcpu } = machine;
  for (const offset of [2n ** 64n, -(2n ** 63n) - 1n, 5 as unknown as bigint]) {
    assertCode("EINVAL", () => vcpu.setTscOffset(offset));
  }
});

Deno.test(needs("an attribute that there is not is absent, and ENXIO", "VCPU_ATTRIBUTES"), () => {
  using machine = bare();
  const { vcpu } = machine;
  assertEquals(vcpu.hasDeviceAttr(VcpuTsc.CTRL, 77), false);
  assertEquals(vcpu.hasDeviceAttr(99, 0), false);
  assertCode("ENXIO", () => vcpu.getDeviceAttr(99, 0));
  assertCode("ENXIO", () => vcpu.setDeviceAttr(VcpuTsc.CTRL, 77, new Uint8Array(8)));
  assertCode("EINVAL", () => vcpu.getDeviceAttr(0, 0, 5000));
  assertCode("EINVAL", () => vcpu.hasDeviceAttr(-1, 0));
  assertCode("EINVAL", () => vcpu.setDeviceAttr(0, 0, new Uint8Array(5000)));
});

/** From the start of pvclock_vcpu_time_info to its flags; PVCLOCK_GUEST_STOPPED is bit 1. */
const PVCLOCK_FLAGS = 29;
const GUEST_STOPPED = 2;

Deno.test(
  needs("kvmclockCtrl tells a guest with kvmclock that it was paused", "KVMCLOCK_CTRL"),
  () => {
    using kvm = Kvm.open();
    using machine = startLong(readTsc);
    const { vcpu, memory } = machine;
    vcpu.setCpuid(kvm.getSupportedCpuid());
    assertCode("EINVAL", () => vcpu.kvmclockCtrl());
    vcpu.setMsr(MSR.KVM_SYSTEM_TIME_NEW, 0x4001n);
    runUntil(vcpu, "io");
    assert(memory.readU64(0x4010) > 0n, "the clock runs");
    assertEquals(memory.readU8(0x4000 + PVCLOCK_FLAGS) & GUEST_STOPPED, 0);
    vcpu.kvmclockCtrl();
    runUntil(vcpu, "io");
    assertEquals(memory.readU8(0x4000 + PVCLOCK_FLAGS) & GUEST_STOPPED, GUEST_STOPPED);
  },
);
