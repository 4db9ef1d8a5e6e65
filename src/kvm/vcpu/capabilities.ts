/**
 * What a vCPU is made to do differently (api.rst 6), and what the kernel counts of it.
 *
 * @module
 */

import {
  bytesOf,
  checkNames,
  create,
  Errno,
  type Fd,
  KvmError,
  withPointer,
} from "../../../ffi/mod.ts";
import { Cap, kvmEnableCap } from "../../../ffi/uapi/mod.ts";
import { enableCap, lacking } from "../enable_cap.ts";
import { KVM } from "../ioctls.ts";
import { KvmObject } from "../object.ts";
import { StatsFd } from "../stats.ts";

/** The capability part of {@linkcode Vcpu}. */
export abstract class VcpuCapabilities extends KvmObject {
  readonly #check: (cap: Cap) => number;

  /** @internal `check` is the VM's. */
  constructor(handle: Fd, check: (cap: Cap) => number) {
    super(handle);
    this.#check = check;
  }

  /** What the vCPU's VM says to a capability (KVM_CHECK_EXTENSION). */
  check(cap: Cap): number {
    return this.#check(cap);
  }

  /**
   * Turns a capability of vCPUs on (KVM_ENABLE_CAP), with up to four arguments of 64 bits. The
   * methods beside this one say what they mean.
   *
   * @throws {KvmError} EOPNOTSUPP if the host lacks it; EINVAL for arguments it does not take, or for
   * a capability of VMs.
   */
  enableCap(cap: Cap, ...args: (number | bigint)[]): void {
    if (cap === Cap.HYPERV_ENLIGHTENED_VMCS && args.length > 0) {
      // The kernel would write to the address that this argument is.
      const operation = `enable KVM_CAP_HYPERV_ENLIGHTENED_VMCS on ${this.handle.what}`;
      const hint = "Use hypervEnlightenedVmcs(), which returns what the kernel answers";
      throw new KvmError({ operation, errno: Errno.EINVAL, hint });
    }
    enableCap(this.handle, this.#check, cap, args);
  }

  /** Throws EOPNOTSUPP unless the vCPU's VM has the capability. */
  protected need(cap: Cap, operation: string): void {
    if (this.#check(cap) === 0) throw lacking(operation, cap);
  }

  /**
   * Refuses paravirtual MSRs and hypercalls that the vCPU's CPUID does not announce, instead of
   * serving them anyway (KVM_CAP_ENFORCE_PV_FEATURE_CPUID). After `setCpuid`.
   */
  enforcePvCpuid(enable = true): void {
    this.enableCap(Cap.ENFORCE_PV_FEATURE_CPUID, enable ? 1 : 0);
  }

  /**
   * Gives the vCPU Hyper-V's synthetic interrupt controller (KVM_CAP_HYPERV_SYNIC2; `zeroPages`
   * takes the older KVM_CAP_HYPERV_SYNIC, which lets the guest's pages begin as zero). It turns
   * APICv off.
   *
   * @throws {KvmError} EINVAL without an in-kernel APIC.
   */
  hypervSynic(options: { readonly zeroPages?: boolean | undefined } = {}): void {
    const operation = "enable Hyper-V's interrupt controller";
    checkNames(operation, "What says how", options, { zeroPages: true });
    this.enableCap(options.zeroPages ? Cap.HYPERV_SYNIC : Cap.HYPERV_SYNIC2);
  }

  /**
   * Lets a Hyper-V guest's nested guests use the enlightened VMCS, on Intel hosts
   * (KVM_CAP_HYPERV_ENLIGHTENED_VMCS).
   *
   * @returns The version of it: the highest in bits 8-15, the lowest in bits 0-7.
   */
  hypervEnlightenedVmcs(): number {
    const operation = `enable the enlightened VMCS of ${this.handle.what}`;
    this.need(Cap.HYPERV_ENLIGHTENED_VMCS, operation);
    const version = create({ version: "u16" });
    const cap = create(kvmEnableCap);
    cap.cap = Cap.HYPERV_ENLIGHTENED_VMCS;
    const pointer = { address: 0n };
    withPointer(pointer, "address", bytesOf(version), () => {
      cap.args[0] = pointer.address;
      this.handle.set(KVM.KVM_ENABLE_CAP, cap, operation);
    });
    return version.version;
  }

  /** Lets a nested Hyper-V guest's TLB flushes go past its hypervisor (KVM_CAP_HYPERV_DIRECT_TLBFLUSH). */
  hypervDirectTlbflush(): void {
    this.enableCap(Cap.HYPERV_DIRECT_TLBFLUSH);
  }

  /**
   * Refuses Hyper-V MSRs and hypercalls that the vCPU's CPUID does not announce
   * (KVM_CAP_HYPERV_ENFORCE_CPUID). After `setCpuid`.
   */
  hypervEnforceCpuid(enable = true): void {
    this.enableCap(Cap.HYPERV_ENFORCE_CPUID, enable ? 1 : 0);
  }

  /** What the kernel counts of this vCPU: exits and their kinds, halts... (KVM_GET_STATS_FD) */
  getStatsFd(): StatsFd {
    this.need(Cap.BINARY_STATS_FD, `read the statistics of ${this.handle.what}`);
    return StatsFd.open(this.handle);
  }
}
