import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { EFER, MSR } from "../../src/arch/x86/mod.ts";
import { Kvm, type Vcpu } from "../../src/kvm/mod.ts";
import { runGuest } from "../../src/testing/mod.ts";
import { guests } from "../../guests/mod.ts";
import { assertCode } from "../support/codes.ts";

/** A bit of EFER that no processor has. */
const RESERVED = 1n << 40n;

function withVcpu(test: (vcpu: Vcpu, kvm: Kvm) => void): void {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  using vcpu = vm.createVcpu(0);
  vcpu.setCpuid(kvm.getSupportedCpuid());
  test(vcpu, kvm);
}

Deno.test("an MSR that is set is read back, and the guest reads it", () => {
  using guest = runGuest({
    // mov ecx, KERNEL_GS_BASE; rdmsr; hlt
    code: Uint8Array.of(0xb9, 0x02, 0x01, 0x00, 0xc0, 0x0f, 0x32, 0xf4),
    prepare: (vcpu) => vcpu.setMsr(MSR.KERNEL_GS_BASE, 0x1234_5678_9abcn),
  });
  assertEquals(guest.vcpu.getMsr(MSR.KERNEL_GS_BASE), 0x1234_5678_9abcn);
  assertEquals([guest.registers.rdx, guest.registers.rax], [0x1234n, 0x5678_9abcn]);
});

Deno.test("an MSR that is refused goes by its name", () => {
  withVcpu((vcpu) => {
    const read = assertCode("EINVAL", () => vcpu.getMsrs([MSR.EFER, 0xdead_0000, MSR.STAR]));
    assertStringIncludes(read.message, "read MSR 0xdead0000");
    const write = assertCode("EINVAL", () => vcpu.setMsr(MSR.EFER, RESERVED));
    assertStringIncludes(write.message, "write MSR EFER (0xc0000080)");
  });
});

Deno.test("MSRs before the one that is refused are set", () => {
  withVcpu((vcpu) => {
    const values = [[MSR.LSTAR, 0x7000n], [MSR.EFER, RESERVED], [MSR.CSTAR, 0x8000n]] as const;
    assertCode("EINVAL", () => vcpu.setMsrs(values));
    assertEquals(vcpu.getMsrs([MSR.LSTAR, MSR.CSTAR]), [0x7000n, 0n]);
  });
});

Deno.test("more MSRs than one call takes are read and set in several", () => {
  withVcpu((vcpu) => {
    for (const count of [254, 255, 256, 257, 600]) {
      const values = Array.from({ length: count }, (_, at) => [MSR.LSTAR, BigInt(at)] as const);
      vcpu.setMsrs(values);
      const read = vcpu.getMsrs(values.map(([index]) => index));
      assertEquals(read.length, count);
      assert(read.every((value) => value === BigInt(count - 1)), `${count}`);
    }
    assertEquals(vcpu.getMsrs([]), []);
  });
});

Deno.test("the feature MSRs that KVM lists can be read", () => {
  using kvm = Kvm.open();
  const indices = kvm.getMsrFeatureIndexList();
  assertEquals(kvm.getMsrs(indices).length, indices.length);
  assertCode("EINVAL", () => kvm.getMsrs([0xdead_0000]));
});

Deno.test("a guest that writes and reads an MSR sees what it wrote, and so does the host", () => {
  using guest = runGuest({ code: guests.msr, registers: { rdi: BigInt(MSR.LSTAR) } });
  assertEquals(guest.registers.rbx, 0x1234_5678_9abcn);
  assertEquals(guest.vcpu.getMsr(MSR.LSTAR), 0x1234_5678_9abcn);
  const efer = guest.vcpu.getMsr(MSR.EFER);
  assertEquals(guest.memory.readU64(0x2008), efer);
  assertEquals(efer & (EFER.LME | EFER.LMA), EFER.LME | EFER.LMA);
});
