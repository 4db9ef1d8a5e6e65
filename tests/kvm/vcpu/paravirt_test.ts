import { assert, assertEquals, assertGreater, assertThrows } from "@std/assert";
import { KvmError } from "../../../ffi/mod.ts";
import { TdxCommand, XenVcpuAttrType } from "../../../ffi/uapi/mod.ts";
import { guests } from "../../../guests/mod.ts";
import { LapicRegisters } from "../../../src/arch/x86/mod.ts";
import type { Vm } from "../../../src/kvm/mod.ts";
import { assertCode } from "../../support/codes.ts";
import { needing } from "../../support/host.ts";
import { bare, runUntil, startLong } from "../../support/machine.ts";
import { needs } from "../../support/needs.ts";

const TPR = 0xfee0_0080n;
/** mov dword [rbx], 0x30; out 0xf4, al; out 0xf4, al */
const writeTpr = [0xc7, 0x03, 0x30, 0, 0, 0, 0xe6, 0xf4, 0xe6, 0xf4];
const withIrqchip = (vm: Vm) => vm.createIrqchip();

Deno.test(
  needs("reported accesses to the task priority are exits, others are not", "VAPIC", "IRQCHIP"),
  () => {
    for (const enabled of [true, false]) {
      using machine = startLong(writeTpr, { registers: { rbx: TPR } }, withIrqchip);
      const { vcpu } = machine;
      vcpu.tprAccessReporting(true);
      vcpu.tprAccessReporting(enabled);
      const exits = [vcpu.run().reason, vcpu.run().reason];
      assertEquals(exits.includes("tprAccess"), enabled, exits.join());
      assert(exits.includes("io"));
      assertEquals(new LapicRegisters(vcpu.getLapic()).read("tpr"), 0x30);
    }
  },
);

Deno.test(
  needs("a task priority that a patched guest leaves in memory counts", "VAPIC", "IRQCHIP"),
  () => {
    using machine = startLong(
      [
        ...[0xc6, 0x04, 0x25, 0x00, 0x30, 0x00, 0x00, 0x40], // mov byte [0x3000], 0x40
        ...[0xe6, 0xf4], // out 0xf4, al
        ...[0xe6, 0xf4], // out 0xf4, al
      ],
      {},
      withIrqchip,
    );
    const { vcpu } = machine;
    vcpu.setVapicAddr(0x3000);
    runUntil(vcpu, "io");
    runUntil(vcpu, "io");
    assertEquals(new LapicRegisters(vcpu.getLapic()).read("tpr"), 0x40);
    vcpu.setVapicAddr(0);
    assertCode("EINVAL", () => vcpu.setVapicAddr(-1));
    assertCode("EINVAL", () => vcpu.setVapicAddr(0.5));
  },
);

Deno.test("without an in-kernel APIC there is no copy of its task priority", () => {
  using machine = bare();
  assertCode("EINVAL", () => machine.vcpu.setVapicAddr(0x3000));
});

Deno.test(needs("a Xen guest's vCPU has attributes", "XEN_HVM"), () => {
  using machine = bare();
  const { vcpu } = machine;
  vcpu.xenVcpuSetAttr({ type: XenVcpuAttrType.VCPU_INFO, u: { gpa: 0x3000n } });
  assertEquals(vcpu.xenVcpuGetAttr(XenVcpuAttrType.VCPU_INFO).u.gpa, 0x3000n);
  vcpu.xenVcpuSetAttr({ type: XenVcpuAttrType.VCPU_TIME_INFO, u: { gpa: 0x4000n } });
});

Deno.test("a Xen guest's vCPU info is given by no host address, which might become another's", () => {
  using machine = bare();
  const { vcpu, memory } = machine;
  const u = { hva: memory.hostAddress(0x3000) };
  const error = assertCode(
    "EINVAL",
    () => vcpu.xenVcpuSetAttr({ type: XenVcpuAttrType.VCPU_INFO_HVA, u }),
  );
  assertEquals(error.hint?.includes("VCPU_INFO"), true);
});

Deno.test(needing("a host without Xen guests", lacks("XEN_HVM"), "Xen attributes say so"), () => {
  using machine = bare();
  const { vcpu } = machine;
  assertCode("EOPNOTSUPP", () => vcpu.xenVcpuGetAttr(XenVcpuAttrType.VCPU_INFO));
  assertCode("EOPNOTSUPP", () => vcpu.xenVcpuSetAttr({ type: XenVcpuAttrType.VCPU_ID }));
  assertCode("EINVAL", () => vcpu.xenVcpuGetAttr(-1));
});

Deno.test(
  needs("a vCPU tells the leaves of Hyper-V's interface, and a guest sees them", "HYPERV_CPUID"),
  () => {
    using machine = startLong([
      ...[0xb8, 0x00, 0x00, 0x00, 0x40], // mov eax, 0x40000000
      ...[0x0f, 0xa2], // cpuid
      0xf4, // hlt
    ]);
    const { vcpu } = machine;
    const leaves = vcpu.getSupportedHvCpuid();
    const vendor = leaves.find(0x4000_0000)!;
    assertEquals(leaves.find(0x4000_0001)?.eax, 0x3123_7648, '"Hv#1"');
    vcpu.setCpuid(leaves);
    runUntil(vcpu, "hlt");
    const { rax, rbx } = vcpu.getRegs();
    assertEquals([Number(rax), Number(rbx)], [vendor.eax, vendor.ebx]);
  },
);

Deno.test(needing("a host without Hyper-V's", lacks("HYPERV_CPUID"), "its leaves say so"), () => {
  using machine = bare();
  assertCode("EOPNOTSUPP", () => machine.vcpu.getSupportedHvCpuid());
});

Deno.test(
  needs("memory mapped ahead of use is done whole, with progress", "PRE_FAULT_MEMORY"),
  () => {
    using machine = startLong([0xf4]);
    const { vcpu } = machine;
    const done: number[] = [];
    const size = 1 << 20;
    try {
      vcpu.preFaultMemory(0, size, (bytes) => done.push(bytes));
    } catch (error) {
      // Shadow page tables can't be filled ahead; the capability does not tell.
      if (!(error instanceof Error && "code" in error && error.code === "EOPNOTSUPP")) throw error;
      return;
    }
    assertEquals(done.at(-1), size);
    assertCode("ENOENT", () => vcpu.preFaultMemory(2 ** 38, 4096));
  },
);

Deno.test(
  needs(
    "a guest takes no fault in memory that was mapped ahead",
    "PRE_FAULT_MEMORY",
    "BINARY_STATS_FD",
  ),
  () => {
    const start = 1 << 20;
    const pages = 256;
    const faults = [true, false].map((ahead) => {
      using machine = startLong(guests.dirty, {
        registers: { rdi: BigInt(pages), rsi: BigInt(start) },
        size: 4 << 20,
      });
      const { vcpu, memory } = machine;
      // What the host has never written to would be mapped to be read alone.
      memory.fill(start, pages * 4096, 1);
      if (ahead) vcpu.preFaultMemory(0, 4 << 20);
      using stats = vcpu.getStatsFd();
      const before = stats.readRaw("pf_taken") ?? 0n;
      runUntil(vcpu, "hlt");
      return Number((stats.readRaw("pf_taken") ?? 0n) - before);
    });
    assertEquals(faults[0], 0);
    assertGreater(faults[1]!, 0);
  },
);

Deno.test(
  needing("a host that can't", lacks("PRE_FAULT_MEMORY"), "memory is not mapped ahead of use"),
  () => {
    using machine = bare();
    const error = assertCode("EOPNOTSUPP", () => machine.vcpu.preFaultMemory(0, 4096));
    assert(error.hint?.includes("PRE_FAULT_MEMORY"));
  },
);

Deno.test("a range to map ahead of use has whole pages", () => {
  using machine = bare();
  const { vcpu } = machine;
  for (const [address, size] of [[1, 4096], [0, 100], [0, 0], [-4096, 4096], [0, 5000]] as const) {
    assertCode("EINVAL", () => vcpu.preFaultMemory(address, size), `${address} ${size}`);
  }
});

Deno.test("encryption commands are refused by a guest that is not encrypted", () => {
  using machine = bare();
  const { vcpu } = machine;
  for (const data of [0n, new Uint8Array(48)]) {
    const refused = () => vcpu.memoryEncryptOp(TdxCommand.INIT_VCPU, data);
    const { call, code } = assertThrows(refused, KvmError);
    assertEquals(call, "KVM_MEMORY_ENCRYPT_OP");
    // Before Linux 6.16 a vCPU does not know the call.
    assert(code === "ENOTTY" || code === "EINVAL", code);
  }
  assertCode("EINVAL", () => vcpu.memoryEncryptOp(TdxCommand.GET_CPUID, 0x1000n));
  assertCode("EINVAL", () => vcpu.memoryEncryptOp(TdxCommand.GET_CPUID, new Uint8Array(1 << 20)));
});

function lacks(cap: "XEN_HVM" | "HYPERV_CPUID" | "PRE_FAULT_MEMORY"): boolean {
  return needs("", cap).ignore;
}
