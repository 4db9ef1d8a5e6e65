/**
 * Interrupt controllers, lines, routes and the eventfds that stand for them (api.rst 4.16,
 * 4.24-4.27, 4.52, 4.57-4.59, 4.71, 4.75).
 *
 * @module
 */

/** `struct kvm_irq_level`: a line of the interrupt controller to raise or lower (`KVM_IRQ_LINE`). */
export const kvmIrqLevel = {
  /** Which line, and what became of it. */
  line: {
    union: {
      /** The line's number (GSI). */
      irq: "u32",
      /** Out of `KVM_IRQ_LINE_STATUS`: below 0 masked, 0 coalesced, above 0 delivered to so many. */
      status: "s32",
    },
  },
  /** 1 raises the line, 0 lowers it. */
  level: "u32",
} as const;

/** `struct kvm_pic_state`: one of the two 8259A interrupt controllers. */
export const kvmPicState = {
  /** The lines' previous levels, for edge detection. */
  lastIrr: "u8",
  /** Requested. */
  irr: "u8",
  /** Masked. */
  imr: "u8",
  /** In service. */
  isr: "u8",
  /** The line with the highest priority, which rotation moves. */
  priorityAdd: "u8",
  /** Vector of line 0. */
  irqBase: "u8",
  readRegSelect: "u8",
  poll: "u8",
  specialMask: "u8",
  /** How far the ICW1-ICW4 sequence is; 0 is done. */
  initState: "u8",
  autoEoi: "u8",
  rotateOnAutoEoi: "u8",
  specialFullyNestedMode: "u8",
  /** 1 when ICW4 is to come. */
  init4: "u8",
  /** Edge (0) or level (1), per line. */
  elcr: "u8",
  elcrMask: "u8",
} as const;

/** `struct kvm_ioapic_state`: the 82093AA I/O APIC. */
export const kvmIoapicState = {
  baseAddress: "gpa",
  /** The register that IOREGSEL points to. */
  ioregsel: "u32",
  id: "u32",
  /** A bit per requested pin. */
  irr: "u32",
  pad: "u32",
  /** The redirection table, one 64-bit entry per pin (vector in the low byte, mask at bit 16). */
  redirtbl: "u64[24]",
} as const;

/** `struct kvm_irqchip`: the state of one in-kernel controller (`KVM_GET_IRQCHIP`). */
export const kvmIrqchip = {
  /** `Irqchip`: which of the three. */
  chipId: "u32",
  pad: "u32",
  chip: { union: { dummy: "u8[512]", pic: kvmPicState, ioapic: kvmIoapicState } },
} as const;

/**
 * `struct kvm_lapic_state`: a local APIC's register page (`KVM_GET_LAPIC`; SDM volume 3, "The Local APIC
 * Block Diagram").
 */
export const kvmLapicState = {
  /** Registers at the offsets of the APIC page, 16 bytes apart. */
  regs: "u8[1024]",
} as const;

/** `struct kvm_interrupt`: a vector to inject (`KVM_INTERRUPT`, user-space controllers only). */
export const kvmInterrupt = {
  /** The vector, 0 to 255. */
  irq: "u32",
} as const;

/** `struct kvm_msi`: a message-signalled interrupt to deliver at once (`KVM_SIGNAL_MSI`). */
export const kvmMsi = {
  /** The message's address: destination APIC id in bits 12-19. */
  addressLo: "u32",
  /** With `Cap.X2APIC_API`'s 32-bit ids, bits 8-31 of the destination; else 0. */
  addressHi: "u32",
  /** The message's data: the vector in the low byte. */
  data: "u32",
  /** `MsiFlag`. */
  flags: "u32",
  devid: "u32",
  pad: "u8[12]",
} as const;

/** `struct kvm_irq_routing_irqchip`: a route to a controller's pin. */
export const kvmIrqRoutingIrqchip = {
  /** `Irqchip`. */
  irqchip: "u32",
  pin: "u32",
} as const;

/** `struct kvm_irq_routing_msi`: a route that sends a message. */
export const kvmIrqRoutingMsi = {
  addressLo: "u32",
  addressHi: "u32",
  data: "u32",
  devid: "u32",
} as const;

/** `struct kvm_irq_routing_s390_adapter`: s390's; here since it gives the union its alignment. */
export const kvmIrqRoutingS390Adapter = {
  indAddr: "u64",
  summaryAddr: "u64",
  indOffset: "u64",
  summaryOffset: "u32",
  adapterId: "u32",
} as const;

/** `struct kvm_irq_routing_hv_sint`: a route to a Hyper-V synthetic interrupt source. */
export const kvmIrqRoutingHvSint = {
  vcpu: "u32",
  sint: "u32",
} as const;

/** `struct kvm_irq_routing_xen_evtchn`: a route to a Xen event channel. */
export const kvmIrqRoutingXenEvtchn = {
  port: "u32",
  vcpu: "u32",
  /** `IrqRouting.XEN_EVTCHN_PRIO_2LEVEL`. */
  priority: "u32",
} as const;

/** `struct kvm_irq_routing_entry`: where one GSI leads. */
export const kvmIrqRoutingEntry = {
  gsi: "u32",
  /** `IrqRouting`: which member of `u` counts. */
  type: "u32",
  flags: "u32",
  pad: "u32",
  u: {
    union: {
      irqchip: kvmIrqRoutingIrqchip,
      msi: kvmIrqRoutingMsi,
      adapter: kvmIrqRoutingS390Adapter,
      hvSint: kvmIrqRoutingHvSint,
      xenEvtchn: kvmIrqRoutingXenEvtchn,
      pad: "u32[8]",
    },
  },
} as const;

/** `struct kvm_irq_routing`: the whole table, which replaces the last (`KVM_SET_GSI_ROUTING`). */
export const kvmIrqRouting = {
  nr: "u32",
  /** No flag is defined: 0. */
  flags: "u32",
  entries: [kvmIrqRoutingEntry],
} as const;

/** `struct kvm_irqfd`: an eventfd that raises a GSI (`KVM_IRQFD`). */
export const kvmIrqfd = {
  /** The eventfd. */
  fd: "u32",
  gsi: "u32",
  /** `IrqfdFlag`. */
  flags: "u32",
  /** The eventfd that KVM signals at end of interrupt, with `IrqfdFlag.RESAMPLE`. */
  resamplefd: "u32",
  pad: "u8[16]",
} as const;

/** `struct kvm_ioeventfd`: guest writes that signal an eventfd and cause no exit. */
export const kvmIoeventfd = {
  /** The value to wait for, with `IoeventfdFlag.DATAMATCH`. */
  datamatch: "u64",
  /** Guest-physical address, or the I/O port with `IoeventfdFlag.PIO`. */
  addr: "gpa",
  /** Size of the write in bytes: 1, 2, 4, 8, or 0 for any. */
  len: "u32",
  /** The eventfd. */
  fd: "s32",
  /** `IoeventfdFlag`. */
  flags: "u32",
  pad: "u8[36]",
} as const;

/** `struct kvm_tpr_access_ctl`: whether TPR accesses exit (`KVM_TPR_ACCESS_REPORTING`). */
export const kvmTprAccessCtl = {
  enabled: "u32",
  flags: "u32",
  reserved: "u32[8]",
} as const;

/** `struct kvm_vapic_addr`: where the guest's copy of the TPR is (`KVM_SET_VAPIC_ADDR`). */
export const kvmVapicAddr = {
  /** Guest-physical; 0 turns the optimization off. */
  vapicAddr: "gpa",
} as const;
