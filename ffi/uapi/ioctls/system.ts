/**
 * ioctls of /dev/kvm (api.rst 4). Those that a VM or vCPU takes too are here once.
 *
 * @module
 */

import { kvmCpuid2 } from "../structs/cpuid.ts";
import { kvmMsrList, kvmMsrs } from "../structs/msr.ts";

/** The ioctls of /dev/kvm. */
export const systemIoctls = {
  /** The version of the interface: 12 since Linux 2.6.22. */
  KVM_GET_API_VERSION: { nr: 0x00, dir: "none", on: "system" },
  /** Makes a VM of the given type (`VmType`) and returns its file descriptor. */
  KVM_CREATE_VM: {
    nr: 0x01,
    dir: "none",
    on: "system",
    pass: "int",
    hints: {
      EINVAL:
        "This kernel has no VMs of that type: Cap.VM_TYPES answers a bit for each type it has.",
      EBUSY:
        "Another hypervisor holds the processor's virtualization extensions: stop it, or unload its module.",
      EINTR: "A signal came while the VM was being set up: try again.",
      ENOMEM: "The host, or the caller's cgroup, has no memory left for another VM.",
    },
  },
  /** The MSRs that a guest can have and a snapshot should hold. */
  KVM_GET_MSR_INDEX_LIST: {
    nr: 0x02,
    dir: "rw",
    arg: kvmMsrList,
    on: "system",
    hints: { E2BIG: "The list has more entries than there was room for: nmsrs now says how many." },
  },
  /** What a capability answers: 0 for no. */
  KVM_CHECK_EXTENSION: { nr: 0x03, dir: "none", on: ["system", "vm"], pass: "int" },
  /** Bytes of a vCPU's `kvm_run` mapping. */
  KVM_GET_VCPU_MMAP_SIZE: { nr: 0x04, dir: "none", on: "system" },
  /** The CPUID leaves that KVM can give a guest here. */
  KVM_GET_SUPPORTED_CPUID: {
    nr: 0x05,
    dir: "rw",
    arg: kvmCpuid2,
    on: "system",
    cap: "EXT_CPUID",
    hints: { E2BIG: "There are more leaves than entries given: give more (256 always suffice)." },
  },
  /** The CPUID leaves of features that KVM emulates in software, at a price. */
  KVM_GET_EMULATED_CPUID: {
    nr: 0x09,
    dir: "rw",
    arg: kvmCpuid2,
    on: "system",
    cap: "EXT_EMUL_CPUID",
    hints: { E2BIG: "There are more leaves than entries given: give more (256 always suffice)." },
  },
  /** The MSRs that describe features and that /dev/kvm itself can read. */
  KVM_GET_MSR_FEATURE_INDEX_LIST: {
    nr: 0x0a,
    dir: "rw",
    arg: kvmMsrList,
    on: "system",
    cap: "GET_MSR_FEATURES",
    hints: { E2BIG: "The list has more entries than there was room for: nmsrs now says how many." },
  },
  /** Reads MSRs, and returns how many: of a vCPU, or of KVM's features on /dev/kvm. */
  KVM_GET_MSRS: {
    nr: 0x88,
    dir: "rw",
    arg: kvmMsrs,
    on: ["vcpu", "system"],
    hints: { E2BIG: "One call takes fewer than 256 MSRs: split the list." },
  },
  /** The machine-check features that a vCPU can have, as IA32_MCG_CAP. */
  KVM_X86_GET_MCE_CAP_SUPPORTED: { nr: 0x9d, dir: "r", arg: "u64", on: "system", cap: "MCE" },
  /** The CPUID leaves of the Hyper-V interface. On /dev/kvm it is `Cap.SYS_HYPERV_CPUID`'s. */
  KVM_GET_SUPPORTED_HV_CPUID: {
    nr: 0xc1,
    dir: "rw",
    arg: kvmCpuid2,
    on: ["system", "vcpu"],
    cap: "HYPERV_CPUID",
    hints: {
      E2BIG: "There are more leaves than entries given: give more.",
      EINVAL: "KVM has no Hyper-V interface here, or only tells a vCPU (Cap.SYS_HYPERV_CPUID).",
    },
  },
} as const;
