/**
 * Capabilities: what `KVM_CHECK_EXTENSION` is asked about and `KVM_ENABLE_CAP` turns on (api.rst
 * 4.4, 6, 7, 8). Where nothing else is said, the answer is 1 for yes and 0 for no.
 *
 * @module
 */

/** `KVM_CAP_*` of x86, and those of every architecture. */
export const Cap = {
  /** In-kernel interrupt controllers: `KVM_CREATE_IRQCHIP`. */
  IRQCHIP: 0,
  /** HLT exits to user space. */
  HLT: 1,
  /** `KVM_SET_NR_MMU_PAGES`. */
  MMU_SHADOW_CACHE_CONTROL: 2,
  /** Guest memory is the caller's own memory: `KVM_SET_USER_MEMORY_REGION`. */
  USER_MEMORY: 3,
  /** `KVM_SET_TSS_ADDR`. */
  SET_TSS_ADDR: 4,
  /** `KVM_TPR_ACCESS_REPORTING` and `KVM_SET_VAPIC_ADDR`. */
  VAPIC: 6,
  /** `KVM_GET_SUPPORTED_CPUID` and `KVM_SET_CPUID2`. */
  EXT_CPUID: 7,
  /** The guest has the kvmclock MSRs. */
  CLOCKSOURCE: 8,
  /** Answers how many vCPUs a VM is recommended to have at most. */
  NR_VCPUS: 9,
  /** Answers how many memory slots a VM can have. */
  NR_MEMSLOTS: 10,
  /** In-kernel 8254 timer: `KVM_CREATE_PIT`. */
  PIT: 11,
  /** Guests need no delay after port I/O. */
  NOP_IO_DELAY: 12,
  /** The paravirtual MMU, long gone: 0. */
  PV_MMU: 13,
  /** `KVM_GET_MP_STATE` and `KVM_SET_MP_STATE`. */
  MP_STATE: 14,
  /** Queued MMIO writes. Answers the page offset of the ring on the vCPU's file descriptor. */
  COALESCED_MMIO: 15,
  /** Changes to the backing memory's mapping show in the guest at once. */
  SYNC_MMU: 16,
  /** Deleting a memory slot works. */
  DESTROY_MEMORY_REGION_WORKS: 21,
  /** `KVM_NMI`. */
  USER_NMI: 22,
  /** `KVM_SET_GUEST_DEBUG`. */
  SET_GUEST_DEBUG: 23,
  /** `KVM_REINJECT_CONTROL`. */
  REINJECT_CONTROL: 24,
  /** `KVM_SET_GSI_ROUTING`. */
  IRQ_ROUTING: 25,
  /** `KVM_IRQ_LINE_STATUS`. */
  IRQ_INJECT_STATUS: 26,
  /** Deleting a slot and making one larger in its place works. */
  JOIN_MEMORY_REGIONS_WORKS: 30,
  /** Machine checks: `KVM_X86_SETUP_MCE`. Answers how many banks there can be. */
  MCE: 31,
  /** `KVM_IRQFD`. */
  IRQFD: 32,
  /** `KVM_CREATE_PIT2`. */
  PIT2: 33,
  /** `KVM_SET_BOOT_CPU_ID`. */
  SET_BOOT_CPU_ID: 34,
  /** `KVM_GET_PIT2` and `KVM_SET_PIT2`. */
  PIT_STATE2: 35,
  /** `KVM_IOEVENTFD`. */
  IOEVENTFD: 36,
  /** `KVM_SET_IDENTITY_MAP_ADDR`. */
  SET_IDENTITY_MAP_ADDR: 37,
  /** Xen guests. Answers `XenHvmConfig` flags. */
  XEN_HVM: 38,
  /** `KVM_GET_CLOCK` and `KVM_SET_CLOCK`. Answers `ClockFlag`s. */
  ADJUST_CLOCK: 39,
  /** Internal errors carry data. */
  INTERNAL_ERROR_DATA: 40,
  /** `KVM_GET_VCPU_EVENTS` and `KVM_SET_VCPU_EVENTS`. */
  VCPU_EVENTS: 41,
  /** Hyper-V guests: its MSRs and simple calls. */
  HYPERV: 44,
  /** Hyper-V's APIC MSRs. */
  HYPERV_VAPIC: 45,
  /** Hyper-V's spinlock notices. */
  HYPERV_SPIN: 46,
  /** A leftover of the removed device assignment: it tells nothing any more. */
  PCI_SEGMENT: 47,
  /** `kvm_vcpu_events` has the interrupt shadow. */
  INTR_SHADOW: 49,
  /** `KVM_GET_DEBUGREGS` and `KVM_SET_DEBUGREGS`. */
  DEBUGREGS: 50,
  /** Single step and the guest's own use of the trap flag do not disturb each other. */
  X86_ROBUST_SINGLESTEP: 51,
  /** `KVM_ENABLE_CAP` on a vCPU. */
  ENABLE_CAP: 54,
  /** `KVM_GET_XSAVE` and `KVM_SET_XSAVE`. */
  XSAVE: 55,
  /** `KVM_GET_XCRS` and `KVM_SET_XCRS`. */
  XCRS: 56,
  /** Guests can be told that a page is being fetched (asynchronous page faults). */
  ASYNC_PF: 59,
  /** A guest's TSC can run at another rate: `KVM_SET_TSC_KHZ`. */
  TSC_CONTROL: 60,
  /** `KVM_GET_TSC_KHZ`. */
  GET_TSC_KHZ: 61,
  /** Answers how many vCPUs a VM can have. */
  MAX_VCPUS: 66,
  /** `KVM_GET_ONE_REG` and `KVM_SET_ONE_REG`. */
  ONE_REG: 70,
  /** The in-kernel APIC's timer has TSC-deadline mode. */
  TSC_DEADLINE_TIMER: 72,
  /** `kvm_run` can carry registers. Answers the `SyncRegs` it can carry. */
  SYNC_REGS: 74,
  /** `KVM_KVMCLOCK_CTRL`. */
  KVMCLOCK_CTRL: 76,
  /** `KVM_SIGNAL_MSI`. */
  SIGNAL_MSI: 77,
  /** `MemFlag.READONLY`. */
  READONLY_MEM: 81,
  /** `IrqfdFlag.RESAMPLE`. */
  IRQFD_RESAMPLE: 82,
  /** `KVM_CREATE_DEVICE`. */
  DEVICE_CTRL: 89,
  /** `KVM_GET_EMULATED_CPUID`. */
  EXT_EMUL_CPUID: 95,
  /** Hyper-V's reference counter and reference TSC page. */
  HYPERV_TIME: 96,
  /** The I/O APIC ignores the polarity bit. */
  IOAPIC_POLARITY_IGNORED: 97,
  /** `KVM_ENABLE_CAP` on a VM. */
  ENABLE_CAP_VM: 98,
  /** An ioeventfd can have length 0. */
  IOEVENTFD_NO_LENGTH: 100,
  /** `KVM_CHECK_EXTENSION` on a VM. */
  CHECK_EXTENSION_VM: 105,
  /** The first form of {@linkcode Cap.DISABLE_QUIRKS2}. */
  DISABLE_QUIRKS: 116,
  /** System management mode: `KVM_SMI`. */
  X86_SMM: 117,
  /** Answers how many address spaces a VM has: 2 with system management mode. */
  MULTI_ADDRESS_SPACE: 118,
  /** Enable: the I/O APIC and PICs are user space's, local APICs the kernel's. */
  SPLIT_IRQCHIP: 121,
  /** An ioeventfd of length 0 matches a write of any size. */
  IOEVENTFD_ANY_LENGTH: 122,
  /** Enable: Hyper-V's synthetic interrupt controller. */
  HYPERV_SYNIC: 123,
  /** A vCPU has device attributes: `VcpuTsc`. */
  VCPU_ATTRIBUTES: 127,
  /** Answers the number that vCPU ids are below. Enable: lowers it. */
  MAX_VCPU_ID: 128,
  /** Enable: `X2apic`, 32-bit APIC ids. */
  X2APIC_API: 129,
  /** `kvm_run.immediate_exit`. */
  IMMEDIATE_EXIT: 136,
  /** Enable: `DisableExits`. Answers which can be. */
  X86_DISABLE_EXITS: 143,
  /** Enable: the synthetic interrupt controller without its pages being zeroed. */
  HYPERV_SYNIC2: 148,
  /** Hyper-V's virtual-processor index can be set. */
  HYPERV_VP_INDEX: 149,
  /** `KVM_GET_MSRS` on /dev/kvm and `KVM_GET_MSR_FEATURE_INDEX_LIST`. */
  GET_MSR_FEATURES: 153,
  /** `KVM_HYPERV_EVENTFD`. */
  HYPERV_EVENTFD: 154,
  /** Hyper-V's TLB-flush calls. */
  HYPERV_TLBFLUSH: 155,
  /** Answers how many bytes a nested state needs at most: `KVM_GET_NESTED_STATE`. */
  NESTED_STATE: 157,
  /** Enable: whether a guest can read MSR_PLATFORM_INFO. */
  MSR_PLATFORM_INFO: 159,
  /** Hyper-V's interprocessor-interrupt call. */
  HYPERV_SEND_IPI: 161,
  /** Queued writes to I/O ports. */
  COALESCED_PIO: 162,
  /** Enable: Hyper-V's enlightened VMCS for nested guests. Answers its version. */
  HYPERV_ENLIGHTENED_VMCS: 163,
  /** Enable: `kvm_vcpu_events` tells pending exceptions from injected ones, with payload. */
  EXCEPTION_PAYLOAD: 164,
  /** The first form of {@linkcode Cap.MANUAL_DIRTY_LOG_PROTECT2}; it had a bug. */
  MANUAL_DIRTY_LOG_PROTECT: 166,
  /** `KVM_GET_SUPPORTED_HV_CPUID` on a vCPU. */
  HYPERV_CPUID: 167,
  /** Enable: `DirtyLogMode`, and `KVM_CLEAR_DIRTY_LOG` with it. Answers what can be. */
  MANUAL_DIRTY_LOG_PROTECT2: 168,
  /** `KVM_SET_PMU_EVENT_FILTER`. */
  PMU_EVENT_FILTER: 173,
  /** Enable: a nested Hyper-V guest's TLB flushes are handled directly. */
  HYPERV_DIRECT_TLBFLUSH: 175,
  /** Enable: how long, in nanoseconds, a halted vCPU is polled before its thread sleeps. */
  HALT_POLL: 182,
  /** Asynchronous page faults are announced by an interrupt. */
  ASYNC_PF_INT: 183,
  /** `kvm_run.exit.failEntry` has the host CPU. */
  LAST_CPU: 184,
  /** A guest can have fewer physical-address bits than its host. */
  SMALLER_MAXPHYADDR: 185,
  /** Guests can be told how much time was stolen from them. */
  STEAL_TIME: 187,
  /** Enable: `MsrExitReason`s that exit to user space. */
  X86_USER_SPACE_MSR: 188,
  /** `KVM_X86_SET_MSR_FILTER`. */
  X86_MSR_FILTER: 189,
  /** Enable: paravirtual features that CPUID does not announce are refused. */
  ENFORCE_PV_FEATURE_CPUID: 190,
  /** `KVM_GET_SUPPORTED_HV_CPUID` on /dev/kvm. */
  SYS_HYPERV_CPUID: 191,
  /** Enable: dirty pages are told by a ring per vCPU. Answers its largest size in bytes. */
  DIRTY_LOG_RING: 192,
  /** Enable: `BusLockDetection`. Answers what can be. */
  X86_BUS_LOCK_EXIT: 193,
  /** Answers the `GuestDebug` flags that work. */
  SET_GUEST_DEBUG2: 195,
  /** Enable: gives a guest SGX's provisioning key. */
  SGX_ATTRIBUTE: 196,
  /** Enable: takes over another VM's encryption context (SEV). */
  VM_COPY_ENC_CONTEXT_FROM: 197,
  /** Enable: Hyper-V features that CPUID does not announce are refused. */
  HYPERV_ENFORCE_CPUID: 199,
  /** `KVM_GET_SREGS2` and `KVM_SET_SREGS2`. */
  SREGS2: 200,
  /** Enable: hypercalls that exit to user space, a bit per number. Answers which can. */
  EXIT_HYPERCALL: 201,
  /** `KVM_GET_STATS_FD`. */
  BINARY_STATS_FD: 203,
  /** Enable: instructions that KVM cannot emulate exit, at CPL 3 too. */
  EXIT_ON_EMULATION_FAILURE: 204,
  /** Enable: moves another VM's encryption context here (SEV migration within a host). */
  VM_MOVE_ENC_CONTEXT_FROM: 206,
  /** Answers the bytes of `KVM_GET_XSAVE2`'s buffer: at least 4096. */
  XSAVE2: 208,
  /** /dev/kvm has device attributes: `SystemAttr`. */
  SYS_ATTRIBUTES: 209,
  /** Enable: `PmuCap`. */
  PMU_CAPABILITY: 212,
  /** Enable: the `Quirk`s to turn off. Answers which can be. */
  DISABLE_QUIRKS2: 213,
  /** `KVM_SET_TSC_KHZ` on a VM, for the vCPUs to come. */
  VM_TSC_CONTROL: 214,
  /** `systemEvent` carries `ndata` and `data`. */
  SYSTEM_EVENT_DATA: 215,
  /** Enable: `kvm_vcpu_events` has a pending triple fault. */
  X86_TRIPLE_FAULT_EVENT: 218,
  /** Enable: `NotifyVmexit`, with the window in the upper half of the argument. */
  X86_NOTIFY_VMEXIT: 219,
  /** Enable: huge pages can be executable, without the protection against iTLB multihit. */
  VM_DISABLE_NX_HUGE_PAGES: 220,
  /** The dirty ring, for callers that use acquire and release order. */
  DIRTY_LOG_RING_ACQ_REL: 223,
  /** `PmuEvent.FLAG_MASKED_EVENTS`. */
  PMU_EVENT_MASKED_EVENTS: 226,
  /** `KVM_SET_USER_MEMORY_REGION2`. */
  USER_MEMORY2: 231,
  /** `ExitReason.MEMORY_FAULT` says which access `KVM_RUN` failed on. */
  MEMORY_FAULT_INFO: 232,
  /** Answers the `MemoryAttribute`s: `KVM_SET_MEMORY_ATTRIBUTES`. */
  MEMORY_ATTRIBUTES: 233,
  /** `KVM_CREATE_GUEST_MEMFD`. */
  GUEST_MEMFD: 234,
  /** Answers a bit per `VmType` that `KVM_CREATE_VM` takes. */
  VM_TYPES: 235,
  /** `KVM_PRE_FAULT_MEMORY`. */
  PRE_FAULT_MEMORY: 236,
  /** Enable: nanoseconds per cycle of the APIC timer's bus. Answers the default. */
  X86_APIC_BUS_CYCLES_NS: 237,
  /** `RunFlag.GUEST_MODE`. */
  X86_GUEST_MODE: 238,
  /** Answers the `GuestMemfdFlag`s. */
  GUEST_MEMFD_FLAGS: 244,
} as const;

/** A value of {@linkcode Cap}. */
export type Cap = (typeof Cap)[keyof typeof Cap];

/** `KVM_CAP_*` of the device assignment that Linux 4.12 removed: VFIO took its place. */
export const retiredCaps = {
  IOMMU: 18,
  ASSIGN_DEV_IRQ: 29,
  PCI_2_3: 75,
} as const;

/** `KVM_CAP_*` that no x86 kernel has, and the architecture that has it. */
export const otherArchitectureCaps = {
  S390_PSW: "s390",
  PPC_SEGSTATE: "ppc",
  PPC_PAIRED_SINGLES: "ppc",
  PPC_OSI: "ppc",
  PPC_UNSET_IRQ: "ppc",
  PPC_GET_PVINFO: "ppc",
  PPC_IRQ_LEVEL: "ppc",
  PPC_BOOKE_SREGS: "ppc",
  SPAPR_TCE: "ppc",
  PPC_SMT: "ppc",
  PPC_RMA: "ppc",
  PPC_HIOR: "ppc",
  PPC_PAPR: "ppc",
  SW_TLB: "ppc",
  S390_GMAP: "s390",
  S390_UCONTROL: "s390",
  PPC_GET_SMMU_INFO: "ppc",
  S390_COW: "s390",
  PPC_ALLOC_HTAB: "ppc",
  PPC_BOOKE_WATCHDOG: "ppc",
  PPC_HTAB_FD: "ppc",
  S390_CSS_SUPPORT: "s390",
  PPC_EPR: "ppc",
  ARM_PSCI: "arm",
  ARM_SET_DEVICE_ADDR: "arm",
  IRQ_MPIC: "ppc",
  PPC_RTAS: "ppc",
  IRQ_XICS: "ppc",
  ARM_EL1_32BIT: "arm",
  SPAPR_MULTITCE: "ppc",
  S390_IRQCHIP: "s390",
  ARM_PSCI_0_2: "arm",
  PPC_FIXUP_HCALL: "ppc",
  PPC_ENABLE_HCALL: "ppc",
  VM_ATTRIBUTES: "arm and s390",
  S390_USER_SIGP: "s390",
  S390_VECTOR_REGISTERS: "s390",
  S390_MEM_OP: "s390",
  S390_USER_STSI: "s390",
  S390_SKEYS: "s390",
  MIPS_FPU: "mips",
  MIPS_MSA: "mips",
  S390_INJECT_IRQ: "s390",
  S390_IRQ_STATE: "s390",
  PPC_HWRNG: "ppc",
  GUEST_DEBUG_HW_BPS: "arm",
  GUEST_DEBUG_HW_WPS: "arm",
  S390_RI: "s390",
  SPAPR_TCE_64: "ppc",
  ARM_PMU_V3: "arm",
  S390_USER_INSTR0: "s390",
  MSI_DEVID: "arm",
  PPC_HTM: "ppc",
  SPAPR_RESIZE_HPT: "ppc",
  PPC_MMU_RADIX: "ppc",
  PPC_MMU_HASH_V3: "ppc",
  MIPS_VZ: "mips",
  MIPS_TE: "mips",
  MIPS_64BIT: "mips",
  S390_GS: "s390",
  S390_AIS: "s390",
  SPAPR_TCE_VFIO: "ppc",
  ARM_USER_IRQ: "arm",
  S390_CMMA_MIGRATION: "s390",
  PPC_FWNMI: "ppc",
  PPC_SMT_POSSIBLE: "ppc",
  S390_AIS_MIGRATION: "s390",
  PPC_GET_CPU_CHAR: "ppc",
  S390_BPB: "s390",
  S390_HPAGE_1M: "s390",
  ARM_INJECT_SERROR_ESR: "arm",
  PPC_NESTED_HV: "ppc",
  ARM_VM_IPA_SIZE: "arm",
  PPC_IRQ_XIVE: "ppc",
  ARM_SVE: "arm",
  ARM_PTRAUTH_ADDRESS: "arm",
  ARM_PTRAUTH_GENERIC: "arm",
  ARM_IRQ_LINE_LAYOUT_2: "arm",
  PPC_GUEST_DEBUG_SSTEP: "ppc",
  ARM_NISV_TO_USER: "arm",
  ARM_INJECT_EXT_DABT: "arm",
  S390_VCPU_RESETS: "s390",
  S390_PROTECTED: "s390",
  PPC_SECURE_GUEST: "ppc",
  S390_DIAG318: "s390",
  PPC_DAWR1: "ppc",
  PTP_KVM: "arm",
  PPC_RPT_INVALIDATE: "ppc",
  ARM_MTE: "arm",
  VM_GPA_BITS: "riscv",
  PPC_AIL_MODE_3: "ppc",
  S390_MEM_OP_EXTENSION: "s390",
  ARM_SYSTEM_SUSPEND: "arm",
  S390_PROTECTED_DUMP: "s390",
  S390_ZPCI_OP: "s390",
  S390_CPU_TOPOLOGY: "s390",
  S390_PROTECTED_ASYNC_DISABLE: "s390",
  DIRTY_LOG_RING_WITH_BITMAP: "arm",
  COUNTER_OFFSET: "arm",
  ARM_EAGER_SPLIT_CHUNK_SIZE: "arm",
  ARM_SUPPORTED_BLOCK_SIZES: "arm",
  ARM_SUPPORTED_REG_MASK_RANGES: "arm",
  ARM_WRITABLE_IMP_ID_REGS: "arm",
  ARM_EL2: "arm",
  ARM_EL2_E2H0: "arm",
  RISCV_MP_STATE_RESET: "riscv",
  ARM_CACHEABLE_PFNMAP_SUPPORTED: "arm",
  ARM_SEA_TO_USER: "arm",
  S390_USER_OPEREXEC: "s390",
  S390_KEYOP: "s390",
  S390_VSIE_ESAMODE: "s390",
  S390_HPAGE_2G: "s390",
  PPC_COMPAT_CAPS: "ppc",
  ARM_PMU_V3_STRICT: "arm",
} as const;
