/**
 * Flags and numbers of interrupt controllers, routes, eventfds, timers and the clock.
 *
 * @module
 */

/** `KVM_IRQCHIP_*`: the in-kernel controllers. */
export const Irqchip = {
  PIC_MASTER: 0,
  PIC_SLAVE: 1,
  IOAPIC: 2,
} as const;

/** A value of {@linkcode Irqchip}. */
export type Irqchip = (typeof Irqchip)[keyof typeof Irqchip];

/** `KVM_IRQ_ROUTING_*`: kinds of route. */
export const IrqRouting = {
  IRQCHIP: 1,
  MSI: 2,
  HV_SINT: 4,
  XEN_EVTCHN: 5,
  /** The one priority of a Xen event channel. */
  XEN_EVTCHN_PRIO_2LEVEL: 0xffffffff,
} as const;

/** `KVM_IRQFD_FLAG_*`. */
export const IrqfdFlag = {
  /** Undo the connection. */
  DEASSIGN: 1,
  /** Level-triggered: the line falls at end of interrupt, and `resamplefd` is signalled. */
  RESAMPLE: 2,
} as const;

/** `KVM_IOEVENTFD_FLAG_*`. */
export const IoeventfdFlag = {
  /** Only writes of `datamatch` signal. */
  DATAMATCH: 1,
  /** The address is an I/O port. */
  PIO: 2,
  /** Undo the connection; all else must be as it was. */
  DEASSIGN: 4,
} as const;

/** `KVM_MSI_*`: flags of `kvm_msi`. */
export const MsiFlag = {
  /** `devid` counts. x86 ignores it. */
  VALID_DEVID: 1,
} as const;

/** `KVM_X2APIC_*`: flags of `Cap.X2APIC_API`. */
export const X2apic = {
  /** MSIs, routes and APIC states have 32-bit ids. */
  API_USE_32BIT_IDS: 1,
  /** Destination 0xff is no broadcast in x2APIC mode. */
  API_DISABLE_BROADCAST_QUIRK: 2,
  /** The guest sees and has the suppression of EOI broadcasts. */
  ENABLE_SUPPRESS_EOI_BROADCAST: 4,
  /** The guest neither sees nor has it. */
  DISABLE_SUPPRESS_EOI_BROADCAST: 8,
} as const;

/** `KVM_PIT_*`: flags of `KVM_CREATE_PIT2`. */
export const PitConfig = {
  /** Port 0x61 is emulated, and nothing sounds. */
  SPEAKER_DUMMY: 1,
} as const;

/** `KVM_PIT_FLAGS_*`: flags of the timer's state. */
export const PitFlag = {
  /** The HPET has taken over the timer's interrupt. */
  HPET_LEGACY: 1,
  /** The speaker's gate is open. */
  SPEAKER_DATA_ON: 2,
} as const;

/** `KVM_CLOCK_*`: flags of `kvm_clock_data`. */
export const ClockFlag = {
  /** Out: all vCPUs saw the same clock. */
  TSC_STABLE: 2,
  /** `realtime` counts. */
  REALTIME: 4,
  /** `hostTsc` counts. */
  HOST_TSC: 8,
} as const;
