/**
 * MSRs between a guest and its hypervisor: KVM's own (Documentation/virt/kvm/x86/msr.rst) and
 * Hyper-V's (Hypervisor Top Level Functional Specification, appendix "Hypervisor Synthetic MSRs").
 *
 * @module
 */

/** KVM's own MSRs. */
export const kvmMsrNumbers = {
  /** KVM: where it writes the time of day at boot; the old number. */
  KVM_WALL_CLOCK: 0x11,
  /** KVM: where it keeps the vCPU's system time (kvmclock); the old number. */
  KVM_SYSTEM_TIME: 0x12,
  /** KVM: where it writes the time of day at boot. */
  KVM_WALL_CLOCK_NEW: 0x4b564d00,
  /** KVM: where it keeps the vCPU's system time (kvmclock). */
  KVM_SYSTEM_TIME_NEW: 0x4b564d01,
  /** KVM: asynchronous page faults. */
  KVM_ASYNC_PF_EN: 0x4b564d02,
  /** KVM: where it counts stolen time. */
  KVM_STEAL_TIME: 0x4b564d03,
  /** KVM: paravirtual end of interrupt. */
  KVM_PV_EOI_EN: 0x4b564d04,
  /** KVM: whether the host polls after HLT. */
  KVM_POLL_CONTROL: 0x4b564d05,
  /** KVM: the vector that tells that a page is there. */
  KVM_ASYNC_PF_INT: 0x4b564d06,
  /** KVM: the guest has seen that a page is there. */
  KVM_ASYNC_PF_ACK: 0x4b564d07,
  /** KVM: whether an encrypted guest can be migrated. */
  KVM_MIGRATION_CONTROL: 0x4b564d08,
} as const;

/** Hyper-V's MSRs. */
export const hypervMsrNumbers = {
  /** Hyper-V: which system the guest is. */
  HV_GUEST_OS_ID: 0x40000000,
  /** Hyper-V: where the hypercall page is. */
  HV_HYPERCALL: 0x40000001,
  /** Hyper-V: the virtual processor's index. */
  HV_VP_INDEX: 0x40000002,
  /** Hyper-V: resets the guest. */
  HV_RESET: 0x40000003,
  /** Hyper-V: how long the virtual processor has run. */
  HV_VP_RUNTIME: 0x40000010,
  /** Hyper-V: time in units of 100 ns. */
  HV_TIME_REF_COUNT: 0x40000020,
  /** Hyper-V: where the reference TSC page is. */
  HV_REFERENCE_TSC: 0x40000021,
  /** Hyper-V: the TSC's frequency. */
  HV_TSC_FREQUENCY: 0x40000022,
  /** Hyper-V: the APIC timer's frequency. */
  HV_APIC_FREQUENCY: 0x40000023,
  /** Hyper-V: end of interrupt. */
  HV_EOI: 0x40000070,
  /** Hyper-V: interrupt command. */
  HV_ICR: 0x40000071,
  /** Hyper-V: task priority. */
  HV_TPR: 0x40000072,
  /** Hyper-V: where the virtual processor's assist page is. */
  HV_VP_ASSIST_PAGE: 0x40000073,
  /** Hyper-V: control of the synthetic interrupt controller. */
  HV_SCONTROL: 0x40000080,
  /** Hyper-V: version of the synthetic interrupt controller. */
  HV_SVERSION: 0x40000081,
  /** Hyper-V: where event flags are. */
  HV_SIEFP: 0x40000082,
  /** Hyper-V: where messages are. */
  HV_SIMP: 0x40000083,
  /** Hyper-V: end of message. */
  HV_EOM: 0x40000084,
  /** Hyper-V: first source of synthetic interrupts; 15 more follow. */
  HV_SINT0: 0x40000090,
  /** Hyper-V: configuration of the first synthetic timer; count and configuration alternate. */
  HV_STIMER0_CONFIG: 0x400000b0,
  /** Hyper-V: count of the first synthetic timer. */
  HV_STIMER0_COUNT: 0x400000b1,
  /** Hyper-V: control of the synthetic debugger. */
  HV_SYNDBG_CONTROL: 0x400000f1,
  /** Hyper-V: status of the synthetic debugger. */
  HV_SYNDBG_STATUS: 0x400000f2,
  /** Hyper-V: where the synthetic debugger sends from. */
  HV_SYNDBG_SEND_BUFFER: 0x400000f3,
  /** Hyper-V: where the synthetic debugger receives. */
  HV_SYNDBG_RECV_BUFFER: 0x400000f4,
  /** Hyper-V: what the synthetic debugger has pending. */
  HV_SYNDBG_PENDING_BUFFER: 0x400000f5,
  /** Hyper-V: options of the synthetic debugger. */
  HV_SYNDBG_OPTIONS: 0x400000ff,
  /** Hyper-V: first parameter of a crash; four more follow. */
  HV_CRASH_P0: 0x40000100,
  /** Hyper-V: tells the host of a crash. */
  HV_CRASH_CTL: 0x40000105,
  /** Hyper-V: interrupt after a migration. */
  HV_REENLIGHTENMENT_CONTROL: 0x40000106,
  /** Hyper-V: whether TSC accesses are emulated after a migration. */
  HV_TSC_EMULATION_CONTROL: 0x40000107,
  /** Hyper-V: whether TSC accesses are being emulated. */
  HV_TSC_EMULATION_STATUS: 0x40000108,
  /** Hyper-V: makes CPUID tell that the TSC is invariant. */
  HV_TSC_INVARIANT_CONTROL: 0x40000118,
} as const;
