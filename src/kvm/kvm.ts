/**
 * The system layer, /dev/kvm: what the host can do, and new VMs.
 *
 * @module
 */

import { checkInteger, checkNames, Errno, Fd, KvmError, show, U32_MAX } from "../../ffi/mod.ts";
import { Cap } from "../../ffi/uapi/mod.ts";
import { type Cpuid, readCpuid } from "./cpuid.ts";
import { getAttr, hasAttr } from "./device_attr.ts";
import { lacking } from "./enable_cap.ts";
import { KVM } from "./ioctls.ts";
import { readIndexList, readMsrs } from "./msrs.ts";
import { KvmObject } from "./object.ts";
import { type CreateVmOptions, Vm } from "./vm/mod.ts";

/** KVM's one stable API version (api.rst 4.1). */
const API_VERSION = 12;

const openHints: Readonly<Record<string, string>> = {
  ENOENT:
    "There is no such device. If it should be KVM's, the host has none: load kvm_intel or kvm_amd (modprobe), enable virtualization in the " +
    "firmware, or, in a VM or container, let its owner pass KVM on",
  EACCES: "You may not use it: join the group that owns it (usermod -aG kvm $USER), or be root",
  EPERM: "You may not use it: join the group that owns it (usermod -aG kvm $USER), or be root",
  ENODEV: "The device is there but no KVM module drives it: load kvm_intel or kvm_amd (modprobe)",
  EBUSY: "Another hypervisor has the processor's virtualization: stop it first",
};

/**
 * The host's KVM. It is needed to create VMs; those then live without it.
 *
 * @example
 * ```ts
 * import { Cap, Kvm } from "@deno-kvm/kvm";
 *
 * using kvm = Kvm.open();
 * console.log(kvm.apiVersion, kvm.check(Cap.NR_MEMSLOTS));
 * ```
 */
export class Kvm extends KvmObject {
  /** The API version; always 12 (KVM_GET_API_VERSION). */
  readonly apiVersion: number;

  private constructor(handle: Fd) {
    super(handle);
    this.apiVersion = handle.call(KVM.KVM_GET_API_VERSION, 0, "open KVM");
    Object.freeze(this);
  }

  /**
   * Opens KVM.
   *
   * @param path The device, for hosts that have it elsewhere.
   * @throws {KvmError} ENOENT without KVM, EACCES without permission, ENOTTY if the file is not
   * KVM's, ENOSYS on anything but x86-64 Linux.
   * @throws {Deno.errors.NotCapable} without `--allow-ffi`.
   */
  static open(path = "/dev/kvm"): Kvm {
    const operation = `open ${path}`;
    if (typeof path !== "string") {
      const hint = "The path is a string";
      throw new KvmError({ operation: "open KVM", errno: Errno.EINVAL, hint });
    }
    const handle = Fd.open(path, "Kvm", openHints);
    try {
      const kvm = new Kvm(handle);
      if (kvm.apiVersion === API_VERSION) return kvm;
      const hint =
        `KVM's API version is ${kvm.apiVersion}, not ${API_VERSION}: a kernel before 2.6.22`;
      throw new KvmError({ operation, errno: Errno.ENOSYS, hint });
    } catch (error) {
      handle.close();
      throw error;
    }
  }

  /**
   * What the host says to a capability: 0 if it lacks it, else 1 or the capability's own number
   * (KVM_CHECK_EXTENSION). Some depend on the VM: see {@linkcode Vm.check}.
   */
  check(cap: Cap): number {
    const operation = `check capability ${show(cap)}`;
    checkInteger(operation, "A capability", cap, 0, U32_MAX);
    return this.handle.call(KVM.KVM_CHECK_EXTENSION, cap, operation);
  }

  /** Bytes of a vCPU's run mapping (KVM_GET_VCPU_MMAP_SIZE). */
  get vcpuMmapSize(): number {
    return this.handle.call(KVM.KVM_GET_VCPU_MMAP_SIZE);
  }

  /** How many memory slots a VM can have (KVM_CAP_NR_MEMSLOTS). */
  get maxMemorySlots(): number {
    return this.check(Cap.NR_MEMSLOTS);
  }

  /** How many vCPUs a VM should have at most, for speed (KVM_CAP_NR_VCPUS). */
  get recommendedVcpus(): number {
    return this.check(Cap.NR_VCPUS);
  }

  /** How many vCPUs a VM can have (KVM_CAP_MAX_VCPUS). */
  get maxVcpus(): number {
    return this.check(Cap.MAX_VCPUS) || this.recommendedVcpus;
  }

  /** vCPU ids are below this (KVM_CAP_MAX_VCPU_ID). */
  get maxVcpuId(): number {
    return this.check(Cap.MAX_VCPU_ID) || this.maxVcpus;
  }

  /** The CPUID leaves that the host and KVM support (KVM_GET_SUPPORTED_CPUID). */
  getSupportedCpuid(): Cpuid {
    return readCpuid(this.handle, KVM.KVM_GET_SUPPORTED_CPUID);
  }

  /** The CPUID leaves that KVM emulates beyond the host's (KVM_GET_EMULATED_CPUID). */
  getEmulatedCpuid(): Cpuid {
    return readCpuid(this.handle, KVM.KVM_GET_EMULATED_CPUID);
  }

  /** The machine-check features that `vcpu.setupMce` takes (KVM_X86_GET_MCE_CAP_SUPPORTED). */
  getMceCapSupported(): bigint {
    const value = new BigUint64Array(new ArrayBuffer(8));
    this.handle.setBytes(KVM.KVM_X86_GET_MCE_CAP_SUPPORTED, new Uint8Array(value.buffer));
    return value[0]!;
  }

  /**
   * The CPUID leaves of the Hyper-V interface (KVM_GET_SUPPORTED_HV_CPUID).
   *
   * @throws {KvmError} EOPNOTSUPP on hosts without `Cap.SYS_HYPERV_CPUID`.
   */
  getSupportedHvCpuid(): Cpuid {
    const operation = "read the Hyper-V CPUID leaves";
    if (this.check(Cap.SYS_HYPERV_CPUID) === 0) throw lacking(operation, Cap.SYS_HYPERV_CPUID);
    return readCpuid(this.handle, KVM.KVM_GET_SUPPORTED_HV_CPUID);
  }

  /** Whether KVM has an attribute: a group and a member of `SystemAttr` (KVM_HAS_DEVICE_ATTR). */
  hasDeviceAttr(group: number, attr: number): boolean {
    return this.check(Cap.SYS_ATTRIBUTES) > 0 && hasAttr(this.handle, group, attr);
  }

  /**
   * The value of an attribute of KVM's (KVM_GET_DEVICE_ATTR, KVM_CAP_SYS_ATTRIBUTES).
   *
   * @example The extended processor state that guests can have, as bits of XCR0
   * ```ts
   * import { Kvm, SystemAttr } from "@deno-kvm/kvm";
   *
   * using kvm = Kvm.open();
   * const { GRP_SYSTEM, XCOMP_GUEST_SUPP } = SystemAttr;
   * if (kvm.hasDeviceAttr(GRP_SYSTEM, XCOMP_GUEST_SUPP)) {
   *   console.log(kvm.getDeviceAttr(GRP_SYSTEM, XCOMP_GUEST_SUPP).toString(2));
   * }
   * ```
   *
   * @throws {KvmError} ENXIO if there is none such; EOPNOTSUPP on hosts without any.
   */
  getDeviceAttr(group: number, attr: number): bigint {
    const operation = `read attribute ${show(attr)} of group ${show(group)} of KVM`;
    if (this.check(Cap.SYS_ATTRIBUTES) === 0) throw lacking(operation, Cap.SYS_ATTRIBUTES);
    const value = getAttr(this.handle, group, attr, BigUint64Array.BYTES_PER_ELEMENT);
    return new DataView(value.buffer).getBigUint64(0, true);
  }

  /** The MSRs that a vCPU's state consists of (KVM_GET_MSR_INDEX_LIST). */
  getMsrIndexList(): Uint32Array<ArrayBuffer> {
    return readIndexList(this.handle, KVM.KVM_GET_MSR_INDEX_LIST);
  }

  /** The MSRs that tell the host's features (KVM_GET_MSR_FEATURE_INDEX_LIST). */
  getMsrFeatureIndexList(): Uint32Array<ArrayBuffer> {
    return readIndexList(this.handle, KVM.KVM_GET_MSR_FEATURE_INDEX_LIST);
  }

  /** The values of feature MSRs, in the order asked for (KVM_GET_MSRS on /dev/kvm). */
  getMsrs(indices: ArrayLike<number>): bigint[] {
    return readMsrs(this.handle, indices);
  }

  /**
   * Creates a VM (KVM_CREATE_VM).
   *
   * @throws {KvmError} ENOMEM or EMFILE at the host's limits.
   */
  createVm(options: CreateVmOptions = {}): Vm {
    const operation = "create a VM";
    checkNames(operation, "What says how", options, { type: true });
    const { type = 0 } = options;
    checkInteger(operation, "A VM's type", type, 0, U32_MAX);
    const handle = new Fd(this.handle.call(KVM.KVM_CREATE_VM, type, operation), "VM");
    try {
      return new Vm(handle, this.vcpuMmapSize);
    } catch (error) {
      handle.close();
      throw error;
    }
  }
}
