/**
 * What a VM can do, and what it is made to do differently (api.rst 7).
 *
 * @module
 */

import { checkInteger, Errno, KvmError, show, U32_MAX } from "../../../ffi/mod.ts";
import { Cap } from "../../../ffi/uapi/mod.ts";
import { enableCap, lacking } from "../enable_cap.ts";
import { KVM } from "../ioctls.ts";
import { KvmObject } from "../object.ts";
import { StatsFd } from "../stats.ts";

/**
 * The capability part of {@linkcode Vm}: how the machine is built. All of it is asked for before the
 * first vCPU, unless the method says otherwise.
 */
export abstract class VmCapabilities extends KvmObject {
  /**
   * What this VM says to a capability: 0 if it lacks it, else 1 or the capability's own number
   * (KVM_CHECK_EXTENSION).
   */
  check(cap: Cap): number {
    const operation = `check capability ${show(cap)}`;
    checkInteger(operation, "A capability", cap, 0, U32_MAX);
    return this.handle.call(KVM.KVM_CHECK_EXTENSION, cap, operation);
  }

  /**
   * Turns a capability on (KVM_ENABLE_CAP), with up to four arguments of 64 bits. The methods beside
   * this one say what they mean; it is for capabilities that have none.
   *
   * @example
   * ```ts
   * import { Cap, Kvm } from "@deno-kvm/kvm";
   *
   * using kvm = Kvm.open();
   * using vm = kvm.createVm();
   * if (vm.check(Cap.HALT_POLL)) vm.enableCap(Cap.HALT_POLL, 50_000);
   * ```
   *
   * @throws {KvmError} EOPNOTSUPP if the host lacks it, or some bits of its mask; EINVAL for
   * arguments it does not take, or too late.
   */
  enableCap(cap: Cap, ...args: (number | bigint)[]): void {
    enableCap(this.handle, (cap) => this.check(cap), cap, args);
  }

  /** Throws EOPNOTSUPP unless the VM has the capability. */
  protected need(cap: Cap, operation: string): void {
    if (this.check(cap) === 0) throw lacking(operation, cap);
  }

  /**
   * Gives each vCPU a local APIC in the kernel, and leaves PICs and IOAPIC to user space
   * (KVM_CAP_SPLIT_IRQCHIP). The end of an interrupt of theirs is an `"ioapicEoi"` exit. Instead of
   * `createIrqchip`.
   *
   * @param gsis How many GSIs, from 0 on, are the pins of user space's IOAPICs: 24 for one.
   * @throws {KvmError} EEXIST if the VM has interrupt controllers or vCPUs.
   */
  splitIrqchip(gsis = 24): void {
    this.enableCap(Cap.SPLIT_IRQCHIP, gsis);
  }

  /**
   * How the in-kernel APICs behave in x2APIC mode: `X2apic` flags (KVM_CAP_X2APIC_API). 32-bit ids
   * for MSIs, routes and `getLapic` among them.
   */
  x2apicApi(flags: number): void {
    this.enableCap(Cap.X2APIC_API, flags);
  }

  /** Lowers the limit that vCPU ids are below, which saves memory (KVM_CAP_MAX_VCPU_ID). Once. */
  maxVcpuId(limit: number): void {
    const most = this.check(Cap.MAX_VCPU_ID) || U32_MAX;
    checkInteger("limit the vCPU ids", "The limit", limit, 1, most);
    this.enableCap(Cap.MAX_VCPU_ID, limit);
  }

  /**
   * Turns off behaviour that KVM keeps for old user space: `Quirk` bits (KVM_CAP_DISABLE_QUIRKS2). At
   * any time, though most quirks show when a vCPU is created or first run.
   */
  disableQuirks2(quirks: number): void {
    this.enableCap(Cap.DISABLE_QUIRKS2, quirks);
  }

  /**
   * How many nanoseconds a halted vCPU of this VM is polled at most before its thread sleeps; 0 for
   * not at all (KVM_CAP_HALT_POLL). At any time. It matters with an in-kernel APIC, where HLT is no
   * exit.
   */
  haltPoll(nanoseconds: number): void {
    checkInteger("set halt polling", "The time in nanoseconds", nanoseconds, 0, U32_MAX);
    this.enableCap(Cap.HALT_POLL, nanoseconds);
  }

  /**
   * Nanoseconds per cycle of the bus that the APIC timer counts; 1 unless set
   * (KVM_CAP_X86_APIC_BUS_CYCLES_NS). After the irqchip is created.
   *
   * @throws {KvmError} ENXIO without an in-kernel APIC; EINVAL for 0, or after the first vCPU.
   */
  apicBusCyclesNs(nanoseconds: number): void {
    const operation = "set the APIC bus's cycle";
    checkInteger(operation, "The time in nanoseconds", nanoseconds, 1, U32_MAX);
    this.enableCap(Cap.X86_APIC_BUS_CYCLES_NS, nanoseconds);
  }

  /**
   * What becomes of the vCPUs' performance counters: `PmuCap.DISABLE`, and the guest has none
   * (KVM_CAP_PMU_CAPABILITY).
   */
  pmuCapability(flags: number): void {
    this.enableCap(Cap.PMU_CAPABILITY, flags);
  }

  /** Whether the guest can read MSR_PLATFORM_INFO (KVM_CAP_MSR_PLATFORM_INFO). At any time. */
  msrPlatformInfo(readable = true): void {
    this.enableCap(Cap.MSR_PLATFORM_INFO, readable ? 1 : 0);
  }

  /**
   * Lets the guest's huge pages be executable, without the protection against iTLB multihit
   * (KVM_CAP_VM_DISABLE_NX_HUGE_PAGES): for guests that are trusted.
   *
   * @throws {KvmError} EPERM without CAP_SYS_BOOT.
   */
  vmDisableNxHugePages(): void {
    this.enableCap(Cap.VM_DISABLE_NX_HUGE_PAGES);
  }

  /**
   * Lets the guest have an SGX attribute (KVM_CAP_SGX_ATTRIBUTE): the provisioning key.
   *
   * @param fd An open /dev/sgx_provision.
   */
  sgxAttribute(fd: number): void {
    checkInteger("give the guest an SGX attribute", "A file descriptor", fd, 0, U32_MAX);
    this.enableCap(Cap.SGX_ATTRIBUTE, fd);
  }

  /** Shares another VM's SEV encryption context with this one (KVM_CAP_VM_COPY_ENC_CONTEXT_FROM). */
  vmCopyEncContextFrom(source: VmCapabilities): void {
    this.enableCap(Cap.VM_COPY_ENC_CONTEXT_FROM, otherVm(this, source));
  }

  /** Moves another VM's SEV encryption context to this one (KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM). */
  vmMoveEncContextFrom(source: VmCapabilities): void {
    this.enableCap(Cap.VM_MOVE_ENC_CONTEXT_FROM, otherVm(this, source));
  }

  /** What the kernel counts of this VM: pages of each size, flushes... (KVM_GET_STATS_FD) */
  getStatsFd(): StatsFd {
    this.need(Cap.BINARY_STATS_FD, `read the statistics of the ${this.handle.what}`);
    return StatsFd.open(this.handle);
  }
}

function otherVm(vm: VmCapabilities, source: VmCapabilities): number {
  if (source instanceof VmCapabilities && source !== vm && !source.closed) return source.fd;
  const operation = "take over an encryption context";
  const hint = "The source is another VM, which is open";
  throw new KvmError({ operation, errno: Errno.EINVAL, hint });
}
