/**
 * What KVM tells its guests in the hypervisor leaves (Documentation/virt/kvm/x86/cpuid.rst).
 *
 * @module
 */

/** Flags of KVM's leaf, by `leaf.subleaf.register`: each with its bit and its meaning. */
export const paravirtualFeatures = {
  "0x40000001.0.eax": {
    kvm_clock: [0, "kvmclock by the old MSRs, 0x11 and 0x12"],
    kvm_nopiodelay: [1, "Port I/O needs no delays"],
    kvm_mmu: [2, "Paravirtual paging, long gone"],
    kvm_clock2: [3, "kvmclock"],
    kvm_asyncpf: [4, "Asynchronous page faults"],
    kvm_steal_time: [5, "Stolen time"],
    kvm_pv_eoi: [6, "Paravirtual end of interrupt"],
    kvm_pv_unhalt: [7, "Waiters of spinlocks can halt"],
    kvm_pv_tlb_flush: [9, "Sleeping vCPUs need no TLB flushes"],
    kvm_asyncpf_vmexit: [10, "Asynchronous page faults while a nested guest runs"],
    kvm_pv_ipi: [11, "Interprocessor interrupts by hypercall"],
    kvm_poll_control: [12, "The guest can turn the host's polling off"],
    kvm_pv_sched_yield: [13, "A vCPU can yield to another"],
    kvm_asyncpf_int: [14, "Asynchronous page faults tell by interrupt"],
    kvm_msi_ext_dest_id: [15, "MSIs have 15-bit destinations"],
    kvm_hc_map_gpa_range: [16, "Hypercall that tells which pages are shared"],
    kvm_migration_control: [17, "The guest says whether it can be migrated"],
    kvm_clock_stable: [24, "kvmclock is the same on all vCPUs"],
  },
  "0x40000001.0.edx": {
    kvm_hint_realtime: [0, "vCPUs are never preempted: don't yield, spin"],
  },
} as const;

/** Where hypervisors tell their name. */
export const HYPERVISOR_LEAF = 0x4000_0000;
/** Where KVM tells its features. */
export const KVM_FEATURES_LEAF = 0x4000_0001;
/** KVM's name in {@linkcode HYPERVISOR_LEAF}: 12 bytes, filled up with zeroes. */
export const KVM_SIGNATURE = "KVMKVMKVM";

/**
 * KVM's features that its in-kernel APIC carries, and the APIC's own: a VM without in-kernel APICs
 * can't have them.
 */
export const needsIrqchip = [
  "x2apic",
  "tsc_deadline_timer",
  "kvm_pv_eoi",
  "kvm_pv_unhalt",
  "kvm_pv_ipi",
  "kvm_pv_sched_yield",
  "kvm_asyncpf_int",
] as const;
