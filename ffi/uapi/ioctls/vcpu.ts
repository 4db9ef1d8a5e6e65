/**
 * ioctls of a vCPU (api.rst 4). Those that a VM or /dev/kvm takes too are in `vm.ts` and
 * `system.ts`.
 *
 * @module
 */

import { kvmCpuid2 } from "../structs/cpuid.ts";
import { kvmDebugregs, kvmGuestDebug } from "../structs/debug.ts";
import { kvmMpState, kvmSignalMask, kvmVcpuEvents, kvmX86Mce } from "../structs/events.ts";
import {
  kvmInterrupt,
  kvmLapicState,
  kvmTprAccessCtl,
  kvmVapicAddr,
} from "../structs/interrupts.ts";
import { kvmPreFaultMemory, kvmTranslation } from "../structs/memory.ts";
import { kvmMsrs } from "../structs/msr.ts";
import { kvmNestedState } from "../structs/nested.ts";
import {
  kvmFpu,
  kvmOneReg,
  kvmRegList,
  kvmRegs,
  kvmSregs,
  kvmSregs2,
  kvmXcrs,
  kvmXsave,
} from "../structs/registers.ts";
import { kvmXenVcpuAttr } from "../structs/xen.ts";

/** The ioctls of a vCPU. */
export const vcpuIoctls = {
  /** Runs the guest until it exits; `kvm_run` says why. */
  KVM_RUN: {
    nr: 0x80,
    dir: "none",
    on: "vcpu",
    hints: {
      EINTR: "A signal or immediateExit ended the run: call again when it is dealt with.",
      EAGAIN:
        "The vCPU waits for INIT or SIPI and was woken without either: call again, or make it runnable with KVM_SET_MP_STATE.",
      EFAULT:
        "A guest address could not be resolved: its memory is not mapped in this process, or was unmapped under the slot. With exit reason MEMORY_FAULT, memoryFault says which.",
      EINVAL: "kvmValidRegs or kvmDirtyRegs has bits that Cap.SYNC_REGS does not answer.",
      EIO: "KVM found an error of its own and killed the VM: the host's kernel log has it.",
    },
  },
  /** Reads the general registers. */
  KVM_GET_REGS: { nr: 0x81, dir: "r", arg: kvmRegs, on: "vcpu" },
  /** Writes the general registers. */
  KVM_SET_REGS: { nr: 0x82, dir: "w", arg: kvmRegs, on: "vcpu" },
  /** Reads segments, tables and control registers. */
  KVM_GET_SREGS: { nr: 0x83, dir: "r", arg: kvmSregs, on: "vcpu" },
  /** Writes segments, tables and control registers. */
  KVM_SET_SREGS: {
    nr: 0x84,
    dir: "w",
    arg: kvmSregs,
    on: "vcpu",
    hints: {
      EINVAL:
        "CR0, CR4, EFER and CS do not agree (long mode with paging needs EFER.LME and LMA, CR4.PAE and CR0.PE; without it EFER.LMA and CS.L are 0), CR4 or EFER has bits that the vCPU's CPUID lacks (KVM_SET_CPUID2 comes first), or apicBase is not what its APIC allows.",
    },
  },
  /** Translates a guest-virtual address by the guest's page tables. */
  KVM_TRANSLATE: { nr: 0x85, dir: "rw", arg: kvmTranslation, on: "vcpu" },
  /** Injects an external interrupt, where interrupt controllers are in user space. */
  KVM_INTERRUPT: {
    nr: 0x86,
    dir: "w",
    arg: kvmInterrupt,
    on: "vcpu",
    hints: {
      EEXIST:
        "The last interrupt was not taken yet: run until readyForInterruptInjection, which requestInterruptWindow asks for.",
      EINVAL: "A vector is 0 to 255.",
      ENXIO: "The interrupt controllers are in the kernel: use KVM_IRQ_LINE, an MSI or an irqfd.",
    },
  },
  /** Writes MSRs in order, and returns how many until one failed. */
  KVM_SET_MSRS: {
    nr: 0x89,
    dir: "w",
    arg: kvmMsrs,
    on: "vcpu",
    hints: { E2BIG: "One call takes fewer than 256 MSRs: split the list." },
  },
  /** The signals blocked while the guest runs. */
  KVM_SET_SIGNAL_MASK: {
    nr: 0x8b,
    dir: "w",
    arg: kvmSignalMask,
    on: "vcpu",
    hints: { EINVAL: "len must be 8, the size of the kernel's signal set." },
  },
  /** Reads x87 and SSE state. */
  KVM_GET_FPU: { nr: 0x8c, dir: "r", arg: kvmFpu, on: "vcpu" },
  /** Writes x87 and SSE state. */
  KVM_SET_FPU: { nr: 0x8d, dir: "w", arg: kvmFpu, on: "vcpu" },
  /** Reads the in-kernel local APIC. */
  KVM_GET_LAPIC: {
    nr: 0x8e,
    dir: "r",
    arg: kvmLapicState,
    on: "vcpu",
    cap: "IRQCHIP",
    hints: { EINVAL: "The vCPU has no in-kernel APIC: create the controllers before the vCPU." },
  },
  /** Writes the in-kernel local APIC. */
  KVM_SET_LAPIC: {
    nr: 0x8f,
    dir: "w",
    arg: kvmLapicState,
    on: "vcpu",
    cap: "IRQCHIP",
    hints: {
      EINVAL:
        "The vCPU has no in-kernel APIC, or, in x2APIC mode, the id register is not the vCPU's.",
    },
  },
  /** What CPUID answers. */
  KVM_SET_CPUID2: {
    nr: 0x90,
    dir: "w",
    arg: kvmCpuid2,
    on: "vcpu",
    cap: "EXT_CPUID",
    hints: {
      E2BIG: "A vCPU takes 256 entries at most.",
      EINVAL:
        "The leaves contradict each other (leaf 0x80000008 must have 0, 48 or 57 linear-address bits), or the vCPU has run: then they cannot change.",
    },
  },
  /** What CPUID answers now. */
  KVM_GET_CPUID2: {
    nr: 0x91,
    dir: "rw",
    arg: kvmCpuid2,
    on: "vcpu",
    cap: "EXT_CPUID",
    hints: { E2BIG: "There are more leaves than entries given: give more (256 always suffice)." },
  },
  /** Whether accesses to the TPR exit. */
  KVM_TPR_ACCESS_REPORTING: {
    nr: 0x92,
    dir: "rw",
    arg: kvmTprAccessCtl,
    on: "vcpu",
    cap: "VAPIC",
    hints: { EINVAL: "flags must be 0." },
  },
  /** Where the guest's copy of the TPR is. */
  KVM_SET_VAPIC_ADDR: {
    nr: 0x93,
    dir: "w",
    arg: kvmVapicAddr,
    on: "vcpu",
    cap: "VAPIC",
    hints: { EINVAL: "The vCPU has no in-kernel APIC, or the address is not in guest memory." },
  },
  /** Whether the vCPU runs, halts or waits. */
  KVM_GET_MP_STATE: { nr: 0x98, dir: "r", arg: kvmMpState, on: "vcpu", cap: "MP_STATE" },
  /** Makes the vCPU run, halt or wait. */
  KVM_SET_MP_STATE: {
    nr: 0x99,
    dir: "w",
    arg: kvmMpState,
    on: "vcpu",
    cap: "MP_STATE",
    hints: {
      EINVAL:
        "Without an in-kernel APIC a vCPU is always RUNNABLE; with one, INIT and SIPI cannot be pending in system management mode.",
    },
  },
  /** Injects a non-maskable interrupt. */
  KVM_NMI: { nr: 0x9a, dir: "none", on: "vcpu", cap: "USER_NMI" },
  /** What stops the guest for a debugger. */
  KVM_SET_GUEST_DEBUG: {
    nr: 0x9b,
    dir: "w",
    arg: kvmGuestDebug,
    on: "vcpu",
    cap: "SET_GUEST_DEBUG",
    hints: {
      EBUSY: "An exception is about to be delivered: #DB or #BP cannot be injected before it is.",
      EINVAL: "This VM's registers are encrypted: it cannot be debugged.",
    },
  },
  /** Gives the vCPU its machine-check banks, as IA32_MCG_CAP. */
  KVM_X86_SETUP_MCE: {
    nr: 0x9c,
    dir: "w",
    arg: "u64",
    on: "vcpu",
    cap: "MCE",
    hints: {
      EINVAL:
        "There must be 1 to 32 banks, and no feature that KVM_X86_GET_MCE_CAP_SUPPORTED lacks.",
    },
  },
  /** Injects a machine check. */
  KVM_X86_SET_MCE: {
    nr: 0x9e,
    dir: "w",
    arg: kvmX86Mce,
    on: "vcpu",
    cap: "MCE",
    hints: {
      EINVAL: "The bank does not exist (KVM_X86_SETUP_MCE sets how many do), or status lacks VAL.",
    },
  },
  /** Reads pending and injected events. */
  KVM_GET_VCPU_EVENTS: { nr: 0x9f, dir: "r", arg: kvmVcpuEvents, on: "vcpu", cap: "VCPU_EVENTS" },
  /** Writes pending and injected events. */
  KVM_SET_VCPU_EVENTS: {
    nr: 0xa0,
    dir: "w",
    arg: kvmVcpuEvents,
    on: "vcpu",
    cap: "VCPU_EVENTS",
    hints: {
      EINVAL:
        "A flag belongs to a capability that is not enabled (PAYLOAD to EXCEPTION_PAYLOAD, TRIPLE_FAULT to X86_TRIPLE_FAULT_EVENT, SMM to X86_SMM), or the exception's vector is above 31 or is 2.",
    },
  },
  /** Reads the guest's debug registers. */
  KVM_GET_DEBUGREGS: { nr: 0xa1, dir: "r", arg: kvmDebugregs, on: "vcpu", cap: "DEBUGREGS" },
  /** Writes the guest's debug registers. */
  KVM_SET_DEBUGREGS: {
    nr: 0xa2,
    dir: "w",
    arg: kvmDebugregs,
    on: "vcpu",
    cap: "DEBUGREGS",
    hints: { EINVAL: "flags must be 0, and the upper halves of DR6 and DR7 too." },
  },
  /** Reads extended state: its first 4096 bytes. */
  KVM_GET_XSAVE: {
    nr: 0xa4,
    dir: "r",
    arg: kvmXsave,
    on: "vcpu",
    cap: "XSAVE",
    hints: { EINVAL: "The state is larger than 4096 bytes, or encrypted: use KVM_GET_XSAVE2." },
  },
  /** Writes extended state: as many bytes as `Cap.XSAVE2` answers on the VM. */
  KVM_SET_XSAVE: {
    nr: 0xa5,
    dir: "w",
    arg: kvmXsave,
    on: "vcpu",
    cap: "XSAVE",
    hints: {
      EINVAL: "XSTATE_BV or MXCSR has bits that the vCPU cannot have: set its CPUID first.",
    },
  },
  /** Reads the extended control registers. */
  KVM_GET_XCRS: { nr: 0xa6, dir: "r", arg: kvmXcrs, on: "vcpu", cap: "XCRS" },
  /** Writes the extended control registers. */
  KVM_SET_XCRS: {
    nr: 0xa7,
    dir: "w",
    arg: kvmXcrs,
    on: "vcpu",
    cap: "XCRS",
    hints: {
      EINVAL:
        "XCR0 has features that the vCPU cannot have, or lacks x87: set its CPUID first. The host must have XSAVE.",
    },
  },
  /** Reads one register into a buffer. */
  KVM_GET_ONE_REG: {
    nr: 0xab,
    dir: "w",
    arg: kvmOneReg,
    on: "vcpu",
    cap: "ONE_REG",
    hints: {
      EINVAL: "KVM does not know this id, or its size is not the register's.",
      ENOENT: "The vCPU has no such register.",
    },
  },
  /** Writes one register from a buffer. */
  KVM_SET_ONE_REG: {
    nr: 0xac,
    dir: "w",
    arg: kvmOneReg,
    on: "vcpu",
    cap: "ONE_REG",
    hints: {
      EINVAL: "KVM does not know this id, its size is not the register's, or the value is refused.",
      ENOENT: "The vCPU has no such register.",
    },
  },
  /** Tells the guest that it was paused, so that its watchdogs forgive the gap. */
  KVM_KVMCLOCK_CTRL: {
    nr: 0xad,
    dir: "none",
    on: "vcpu",
    cap: "KVMCLOCK_CTRL",
    hints: { EINVAL: "The guest does not use kvmclock on this vCPU." },
  },
  /** The ids that `KVM_GET_ONE_REG` knows. */
  KVM_GET_REG_LIST: {
    nr: 0xb0,
    dir: "rw",
    arg: kvmRegList,
    on: "vcpu",
    cap: "ONE_REG",
    hints: { E2BIG: "There are more registers than there was room for: n now says how many." },
  },
  /** Injects a system-management interrupt. */
  KVM_SMI: {
    nr: 0xb7,
    dir: "none",
    on: "vcpu",
    cap: "X86_SMM",
    hints: { ENOTTY: "This kernel has no system management mode (Cap.X86_SMM)." },
  },
  /** Reads the state of a nested hypervisor. */
  KVM_GET_NESTED_STATE: {
    nr: 0xbe,
    dir: "rw",
    arg: kvmNestedState,
    on: "vcpu",
    cap: "NESTED_STATE",
    hints: {
      E2BIG: "The state is larger than size: Cap.NESTED_STATE answers how large it can get.",
      EINVAL: "This host has no nested virtualization (Cap.NESTED_STATE).",
    },
  },
  /** Writes the state of a nested hypervisor. */
  KVM_SET_NESTED_STATE: {
    nr: 0xbf,
    dir: "w",
    arg: kvmNestedState,
    on: "vcpu",
    cap: "NESTED_STATE",
    hints: {
      EINVAL:
        "The format is not this host's, the sizes do not agree, or the state does not go with the vCPU's CPUID and registers: set those first.",
    },
  },
  /** Reads an attribute of a Xen guest's vCPU. */
  KVM_XEN_VCPU_GET_ATTR: {
    nr: 0xca,
    dir: "rw",
    arg: kvmXenVcpuAttr,
    on: "vcpu",
    cap: "XEN_HVM",
    hints: { ENOENT: "There is no attribute of this type, or it cannot be read." },
  },
  /** Writes an attribute of a Xen guest's vCPU. */
  KVM_XEN_VCPU_SET_ATTR: {
    nr: 0xcb,
    dir: "w",
    arg: kvmXenVcpuAttr,
    on: "vcpu",
    cap: "XEN_HVM",
    hints: { ENOENT: "There is no attribute of this type." },
  },
  /** `KVM_GET_SREGS` with the PDPTRs. */
  KVM_GET_SREGS2: { nr: 0xcc, dir: "r", arg: kvmSregs2, on: "vcpu", cap: "SREGS2" },
  /** `KVM_SET_SREGS` with the PDPTRs. */
  KVM_SET_SREGS2: {
    nr: 0xcd,
    dir: "w",
    arg: kvmSregs2,
    on: "vcpu",
    cap: "SREGS2",
    hints: {
      EINVAL: "CR0, CR4, EFER and CS do not agree, or PDPTRS_VALID is set and paging is not PAE's.",
    },
  },
  /** Reads all extended state: as many bytes as `Cap.XSAVE2` answers on the VM. */
  KVM_GET_XSAVE2: { nr: 0xcf, dir: "r", arg: kvmXsave, on: "vcpu", cap: "XSAVE2" },
  /** Maps guest memory ahead of use. */
  KVM_PRE_FAULT_MEMORY: {
    nr: 0xd5,
    dir: "rw",
    arg: kvmPreFaultMemory,
    on: "vcpu",
    cap: "PRE_FAULT_MEMORY",
    hints: {
      EINVAL: "gpa and size must be multiples of the page size, and size not 0.",
      ENOENT: "The range is not within memory slots.",
      EINTR: "A signal came before the first page: try again.",
      EAGAIN: "The mapping changed meanwhile, before the first page: try again.",
      EOPNOTSUPP:
        "The vCPU's memory is mapped by shadow page tables, for which this cannot be done.",
      EIO: "The VM is dead: the host's kernel log says why.",
    },
  },
} as const;
