/**
 * What this host's KVM can do and no capability tells: found out by trying.
 *
 * @module
 */

import { VcpuTsc } from "../../../ffi/uapi/mod.ts";
import { CR0, CR4, EFER, type HardwareBreakpoint } from "../../../src/arch/x86/mod.ts";
import type { GuestDebugOptions } from "../../../src/kvm/mod.ts";
import { bare, startLong } from "../../support/machine.ts";

/** Whether there is paging outside long mode. */
export function hasLegacyPaging(): boolean {
  using machine = bare();
  const { vcpu } = machine;
  vcpu.setSregs({ cr0: CR0.PE | CR0.ET });
  try {
    vcpu.setSregs({ cr0: CR0.PE | CR0.ET | CR0.PG, cr4: CR4.PSE, efer: 0n });
  } catch {
    return false;
  }
  return (vcpu.getSregs().cr0 & CR0.PG) !== 0n;
}

/** Whether the guest can have five levels of page tables. */
export function hasLa57(): boolean {
  using machine = startLong([0xf4]);
  const { vcpu } = machine;
  const sregs = vcpu.getSregs();
  try {
    vcpu.setSregs({ cr4: sregs.cr4 | CR4.LA57, efer: EFER.LME | EFER.LMA });
  } catch {
    return false;
  }
  return (vcpu.getSregs().cr4 & CR4.LA57) !== 0n;
}

/** Whether a TSC's offset stays as it was set. */
export function hasTscOffset(): boolean {
  using machine = bare();
  const { vcpu } = machine;
  if (!vcpu.hasDeviceAttr(VcpuTsc.CTRL, VcpuTsc.OFFSET)) return false;
  vcpu.setTscOffset(12345n);
  return vcpu.getTscOffset() === 12345n;
}

/** Whether a guest is stopped at all by these, in code that each of them should stop. */
function stops(options: GuestDebugOptions): boolean {
  using machine = startLong([
    0x90, // nop
    ...[0xc7, 0x04, 0x25, 0x00, 0x30, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00], // mov dword [0x3000], 5
    ...[0x8b, 0x04, 0x25, 0x00, 0x30, 0x00, 0x00], // mov eax, [0x3000]
    0xcc, // int3
    0xf4, // hlt
  ]);
  machine.vcpu.setGuestDebug(options);
  return machine.vcpu.run().reason === "debug";
}

/** Whether breakpoints of this kind stop the guest. */
export function firesBreakpoints(type: "execute" | "write" | "access"): boolean {
  const breakpoint: HardwareBreakpoint = type === "execute"
    ? { type, address: 0x1001n }
    : { type, address: 0x3000n, length: 4 };
  return stops({ breakpoints: [breakpoint] });
}

/** Whether INT3 stops the guest for the debugger. */
export function firesSoftwareBreakpoints(): boolean {
  return stops({ softwareBreakpoints: true });
}
