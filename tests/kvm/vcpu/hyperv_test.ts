/** Hyper-V's interface, as far as a guest sees it (Hypervisor Top Level Functional Specification). */

import { assertEquals } from "@std/assert";
import { Vector } from "../../../src/arch/x86/mod.ts";
import { Cpuid } from "../../../src/kvm/mod.ts";
import { runGuest } from "../../../src/testing/mod.ts";
import { supportedCpuid } from "../../support/machine.ts";
import { needs } from "../../support/needs.ts";

const GUEST_OS_ID = 0x4000_0000n;
/** "Hv#1": the interface is Hyper-V's. */
const INTERFACE = 0x3123_7648;
/** Leaf 0x40000003, EAX: the partition may use the hypercall MSRs, GUEST_OS_ID among them. */
const HYPERCALL_MSRS = 1 << 5;
/** wrmsr; hlt */
const wrmsr = Uint8Array.of(0x0f, 0x30, 0xf4);

/** Whether the guest may write Hyper-V's MSR for its identity. */
function mayWrite(privileges: number, enforce: boolean): boolean {
  const cpuid = supportedCpuid();
  cpuid.hypervisor = "Microsoft Hv";
  cpuid.set(0x4000_0001, { eax: INTERFACE }).set(0x4000_0003, { eax: privileges });
  cpuid.set(0x4000_0005, {});
  using guest = runGuest({
    code: wrmsr,
    registers: { rcx: GUEST_OS_ID, rax: 0x1234n },
    ends: ["hlt", "exception"],
    prepare(vcpu) {
      vcpu.setCpuid(new Cpuid(cpuid.entries));
      if (enforce) vcpu.hypervEnforceCpuid();
    },
  });
  if (guest.exception === undefined) {
    assertEquals(guest.vcpu.getMsr(Number(GUEST_OS_ID)), 0x1234n);
    return true;
  }
  assertEquals(guest.exception.vector, Vector.GP);
  return false;
}

Deno.test(
  needs(
    "what a guest's CPUID does not announce of Hyper-V is refused once enforced",
    "HYPERV_ENFORCE_CPUID",
  ),
  () => {
    assertEquals(mayWrite(0, false), true);
    assertEquals(mayWrite(0, true), false);
    assertEquals(mayWrite(HYPERCALL_MSRS, true), true);
  },
);
