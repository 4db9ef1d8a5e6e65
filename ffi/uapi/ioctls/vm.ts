/**
 * ioctls of a VM (api.rst 4). Those that a vCPU takes too are here once.
 *
 * @module
 */

import { kvmCreateDevice, kvmEnableCap } from "../structs/device.ts";
import { kvmMsrFilter, kvmPmuEventFilter } from "../structs/filters.ts";
import { kvmHypervEventfd } from "../structs/hyperv.ts";
import {
  kvmIoeventfd,
  kvmIrqchip,
  kvmIrqfd,
  kvmIrqLevel,
  kvmIrqRouting,
  kvmIrqRoutingXenEvtchn,
  kvmMsi,
} from "../structs/interrupts.ts";
import {
  kvmClearDirtyLog,
  kvmCoalescedMmioZone,
  kvmCreateGuestMemfd,
  kvmDirtyLog,
  kvmEncRegion,
  kvmMemoryAttributes,
  kvmUserspaceMemoryRegion,
  kvmUserspaceMemoryRegion2,
} from "../structs/memory.ts";
import { kvmClockData, kvmPitConfig, kvmPitState2, kvmReinjectControl } from "../structs/time.ts";
import { kvmXenHvmAttr, kvmXenHvmConfig } from "../structs/xen.ts";

/** The ioctls of a VM. */
export const vmIoctls = {
  /** Makes a vCPU with the given id, which is its APIC id, and returns its file descriptor. */
  KVM_CREATE_VCPU: {
    nr: 0x41,
    dir: "none",
    on: "vm",
    pass: "int",
    hints: {
      EEXIST: "The VM has a vCPU with this id: choose another.",
      EINVAL:
        "The id is not below Cap.MAX_VCPU_ID, or the VM has as many vCPUs as Cap.MAX_VCPUS allows.",
    },
  },
  /** Which pages of a slot were written since the last call. */
  KVM_GET_DIRTY_LOG: {
    nr: 0x42,
    dir: "w",
    arg: kvmDirtyLog,
    on: "vm",
    hints: {
      ENOENT: "There is no such slot, or it was set without MemFlag.LOG_DIRTY_PAGES.",
      ENXIO: "This VM tells dirty pages by ring (Cap.DIRTY_LOG_RING): read the vCPUs' rings.",
    },
  },
  /** Limits the pages that shadow page tables may use. */
  KVM_SET_NR_MMU_PAGES: {
    nr: 0x44,
    dir: "none",
    on: "vm",
    cap: "MMU_SHADOW_CACHE_CONTROL",
    pass: "int",
    hints: { EINVAL: "The least that KVM takes is 64 pages." },
  },
  /** The limit of `KVM_SET_NR_MMU_PAGES`; deprecated, for it returns an int. */
  KVM_GET_NR_MMU_PAGES: { nr: 0x45, dir: "none", on: "vm", cap: "MMU_SHADOW_CACHE_CONTROL" },
  /** Makes, changes, moves or deletes a memory slot. */
  KVM_SET_USER_MEMORY_REGION: {
    nr: 0x46,
    dir: "w",
    arg: kvmUserspaceMemoryRegion,
    on: "vm",
    cap: "USER_MEMORY",
    hints: {
      EEXIST: "The range overlaps another slot: delete that one first, or choose another address.",
      EINVAL:
        "Addresses and size must be multiples of the page size, the size less than 8 TiB (add several slots, side by side), the end within the host's physical addresses (CPUID leaf 0x80000008), the slot below Cap.NR_MEMSLOTS, and an existing slot keeps its size, backing and read-only flag: delete it to change those.",
    },
  },
  /** Where Intel's real-mode emulation keeps three pages that the guest must not use. */
  KVM_SET_TSS_ADDR: {
    nr: 0x47,
    dir: "none",
    on: "vm",
    cap: "SET_TSS_ADDR",
    pass: "int",
    hints: { EINVAL: "The three pages must end below 4 GiB." },
  },
  /** Where Intel's real-mode emulation keeps its page table: one page; 0 for the default. */
  KVM_SET_IDENTITY_MAP_ADDR: {
    nr: 0x48,
    dir: "w",
    arg: "u64",
    on: "vm",
    cap: "SET_IDENTITY_MAP_ADDR",
    hints: { EINVAL: "The VM has vCPUs: this must come before the first." },
  },
  /** `KVM_SET_USER_MEMORY_REGION` with private memory. */
  KVM_SET_USER_MEMORY_REGION2: {
    nr: 0x49,
    dir: "w",
    arg: kvmUserspaceMemoryRegion2,
    on: "vm",
    cap: "USER_MEMORY2",
    hints: {
      EEXIST:
        "The range overlaps another slot, or that part of the guest_memfd has one: delete it first, or choose another.",
      EINVAL:
        "Addresses, size and guest_memfd offset must be multiples of the page size, the end within the host's physical addresses (CPUID leaf 0x80000008), and the guest_memfd must be this VM's and its range unused by other slots.",
    },
  },
  /** Makes the two PICs, the I/O APIC and, for every vCPU to come, a local APIC. */
  KVM_CREATE_IRQCHIP: {
    nr: 0x60,
    dir: "none",
    on: "vm",
    cap: "IRQCHIP",
    hints: {
      EEXIST: "The VM has its interrupt controllers already, by this call or Cap.SPLIT_IRQCHIP.",
      EINVAL: "The VM has vCPUs: interrupt controllers must come before the first.",
      ENOTTY:
        "This kernel is built without the in-kernel PIC and I/O APIC: use Cap.SPLIT_IRQCHIP and emulate them.",
    },
  },
  /** Raises or lowers a line of the in-kernel interrupt controllers. */
  KVM_IRQ_LINE: {
    nr: 0x61,
    dir: "w",
    arg: kvmIrqLevel,
    on: "vm",
    cap: "IRQCHIP",
    hints: { ENXIO: "The VM has no in-kernel interrupt controllers: create them first." },
  },
  /** Reads the state of a PIC or the I/O APIC; `chipId` says which. */
  KVM_GET_IRQCHIP: {
    nr: 0x62,
    dir: "rw",
    arg: kvmIrqchip,
    on: "vm",
    cap: "IRQCHIP",
    hints: {
      ENXIO: "The VM has no in-kernel PIC and I/O APIC: create them first.",
      EINVAL: "chipId must be 0, 1 (the PICs) or 2 (the I/O APIC).",
    },
  },
  /** Writes the state of a PIC or the I/O APIC. */
  KVM_SET_IRQCHIP: {
    nr: 0x63,
    dir: "r",
    arg: kvmIrqchip,
    on: "vm",
    cap: "IRQCHIP",
    hints: {
      ENXIO: "The VM has no in-kernel PIC and I/O APIC: create them first.",
      EINVAL: "chipId must be 0, 1 (the PICs) or 2 (the I/O APIC).",
    },
  },
  /** `KVM_IRQ_LINE`, and `status` says what became of it. */
  KVM_IRQ_LINE_STATUS: {
    nr: 0x67,
    dir: "rw",
    arg: kvmIrqLevel,
    on: "vm",
    cap: "IRQ_INJECT_STATUS",
    hints: { ENXIO: "The VM has no in-kernel interrupt controllers: create them first." },
  },
  /** Writes to the zone are queued. */
  KVM_REGISTER_COALESCED_MMIO: {
    nr: 0x67,
    dir: "w",
    arg: kvmCoalescedMmioZone,
    on: "vm",
    cap: "COALESCED_MMIO",
    hints: {
      EINVAL: "pio must be 0 or 1.",
      ENOSPC: "The VM has as many in-kernel devices and zones on this bus as there can be.",
    },
  },
  /** Writes to the zone exit again. */
  KVM_UNREGISTER_COALESCED_MMIO: {
    nr: 0x68,
    dir: "w",
    arg: kvmCoalescedMmioZone,
    on: "vm",
    cap: "COALESCED_MMIO",
  },
  /** Replaces the table of where GSIs lead. */
  KVM_SET_GSI_ROUTING: {
    nr: 0x6a,
    dir: "w",
    arg: kvmIrqRouting,
    on: "vm",
    cap: "IRQ_ROUTING",
    hints: {
      EINVAL:
        "The VM has no in-kernel interrupt controllers, or a route has an unknown type, chip or pin, or there are more than Cap.IRQ_ROUTING answers.",
    },
  },
  /** Whether lost PIT ticks are delivered late. The pointer is no part of the request number. */
  KVM_REINJECT_CONTROL: {
    nr: 0x71,
    dir: "none",
    arg: kvmReinjectControl,
    on: "vm",
    cap: "REINJECT_CONTROL",
    hints: { ENXIO: "The VM has no in-kernel PIT: create it first (KVM_CREATE_PIT2)." },
  },
  /** Connects an eventfd to a GSI. */
  KVM_IRQFD: {
    nr: 0x76,
    dir: "w",
    arg: kvmIrqfd,
    on: "vm",
    cap: "IRQFD",
    hints: {
      EBADF: "The file descriptor is closed: keep it open until it is connected.",
      EBUSY: "This eventfd is connected to a GSI of this VM already.",
      EINVAL:
        "The file descriptor is no eventfd, the GSI is too large, or the VM has no in-kernel interrupt controllers: create them first.",
    },
  },
  /** Makes the in-kernel 8254 timer. */
  KVM_CREATE_PIT2: {
    nr: 0x77,
    dir: "w",
    arg: kvmPitConfig,
    on: "vm",
    cap: "PIT2",
    hints: {
      EEXIST: "The VM has a PIT already.",
      ENOENT: "The PIT needs the in-kernel PIC: call KVM_CREATE_IRQCHIP first.",
      ENOTTY: "This kernel is built without the in-kernel PIT.",
    },
  },
  /** Which vCPU is the bootstrap processor; 0 unless set. */
  KVM_SET_BOOT_CPU_ID: {
    nr: 0x78,
    dir: "none",
    on: "vm",
    cap: "SET_BOOT_CPU_ID",
    pass: "int",
    hints: {
      EBUSY: "The VM has vCPUs: this must come before the first.",
      EINVAL: "The id is not below Cap.MAX_VCPU_ID.",
    },
  },
  /** Connects guest writes to an eventfd. */
  KVM_IOEVENTFD: {
    nr: 0x79,
    dir: "w",
    arg: kvmIoeventfd,
    on: "vm",
    cap: "IOEVENTFD",
    hints: {
      EEXIST: "An ioeventfd with this address, length and data match exists.",
      ENOENT: "No ioeventfd is like this: to undo one, repeat all of what made it.",
      EINVAL:
        "len must be 0, 1, 2, 4 or 8, and the range must not wrap; a data match needs a length.",
      EBADF: "The file descriptor is closed: keep it open until it is connected.",
    },
  },
  /** How Xen's hypercall page is made. */
  KVM_XEN_HVM_CONFIG: {
    nr: 0x7a,
    dir: "w",
    arg: kvmXenHvmConfig,
    on: "vm",
    cap: "XEN_HVM",
    hints: {
      EINVAL: "Cap.XEN_HVM answers which flags this kernel takes; INTERCEPT_HCALL takes no blobs.",
    },
  },
  /** Sets the VM's kvmclock. */
  KVM_SET_CLOCK: {
    nr: 0x7b,
    dir: "w",
    arg: kvmClockData,
    on: "vm",
    cap: "ADJUST_CLOCK",
    hints: { EINVAL: "Cap.ADJUST_CLOCK answers which flags this kernel takes." },
  },
  /** Reads the VM's kvmclock. */
  KVM_GET_CLOCK: { nr: 0x7c, dir: "r", arg: kvmClockData, on: "vm", cap: "ADJUST_CLOCK" },
  /** Reads the in-kernel 8254 timer. */
  KVM_GET_PIT2: {
    nr: 0x9f,
    dir: "r",
    arg: kvmPitState2,
    on: "vm",
    cap: "PIT_STATE2",
    hints: { ENXIO: "The VM has no in-kernel PIT: create it first (KVM_CREATE_PIT2)." },
  },
  /** Writes the in-kernel 8254 timer. */
  KVM_SET_PIT2: {
    nr: 0xa0,
    dir: "w",
    arg: kvmPitState2,
    on: "vm",
    cap: "PIT_STATE2",
    hints: { ENXIO: "The VM has no in-kernel PIT: create it first (KVM_CREATE_PIT2)." },
  },
  /**
   * The TSC's rate in kHz, of a vCPU or of all those to come; 0 is the host's. On a VM it is
   * `Cap.VM_TSC_CONTROL`'s.
   */
  KVM_SET_TSC_KHZ: {
    nr: 0xa2,
    dir: "none",
    on: ["vcpu", "vm"],
    cap: "TSC_CONTROL",
    pass: "int",
    hints: {
      EINVAL:
        "The rate is out of the processor's reach, or, on a VM, there are vCPUs already: set it before the first.",
    },
  },
  /** The TSC's rate in kHz. On a VM it is `Cap.VM_TSC_CONTROL`'s. */
  KVM_GET_TSC_KHZ: {
    nr: 0xa3,
    dir: "none",
    on: ["vcpu", "vm"],
    cap: "GET_TSC_KHZ",
    hints: { EIO: "The host's TSC is not stable: it has no rate to tell." },
  },
  /** Turns a capability on. */
  KVM_ENABLE_CAP: {
    nr: 0xa3,
    dir: "w",
    arg: kvmEnableCap,
    on: ["vm", "vcpu"],
    cap: "ENABLE_CAP_VM",
    hints: {
      EINVAL:
        "This capability cannot be enabled here, or not with these arguments, or no more: many must come before the first vCPU, and some belong to a vCPU.",
      EEXIST:
        "The VM has interrupt controllers or vCPUs already: Cap.SPLIT_IRQCHIP must come before them.",
      EBUSY: "This must come before the first vCPU.",
      EPERM: "The host's administrator does not allow this.",
    },
  },
  /** Delivers a message-signalled interrupt; returns whether a vCPU took it. */
  KVM_SIGNAL_MSI: {
    nr: 0xa5,
    dir: "w",
    arg: kvmMsi,
    on: "vm",
    cap: "SIGNAL_MSI",
    hints: { EINVAL: "The VM has no in-kernel APICs, or flags are set that x86 does not have." },
  },
  /** Which performance events the guest can count. */
  KVM_SET_PMU_EVENT_FILTER: {
    nr: 0xb2,
    dir: "w",
    arg: kvmPmuEventFilter,
    on: "vm",
    cap: "PMU_EVENT_FILTER",
    hints: {
      E2BIG: "One filter takes 300 events at most: masked entries cover more with fewer.",
      EINVAL: "The action or a flag is unknown, or a masked entry has reserved bits.",
    },
  },
  /** A command of AMD SEV or Intel TDX. */
  KVM_MEMORY_ENCRYPT_OP: {
    nr: 0xba,
    dir: "rw",
    arg: "u64",
    on: ["vm", "vcpu"],
    hints: {
      ENOTTY:
        "This VM's memory is not encrypted: create it with a type of Cap.VM_TYPES that is, on a host that has SEV or TDX enabled.",
      EINVAL: "The command is unknown, or does not belong to this state of the guest.",
      EIO: "The firmware refused: the command's error field says why.",
    },
  },
  /** Tells KVM that host memory will hold encrypted guest pages, and pins it. */
  KVM_MEMORY_ENCRYPT_REG_REGION: {
    nr: 0xbb,
    dir: "r",
    arg: kvmEncRegion,
    on: "vm",
    hints: { ENOTTY: "Only SEV guests need this." },
  },
  /** Undoes `KVM_MEMORY_ENCRYPT_REG_REGION`. */
  KVM_MEMORY_ENCRYPT_UNREG_REGION: {
    nr: 0xbc,
    dir: "r",
    arg: kvmEncRegion,
    on: "vm",
    hints: { ENOTTY: "Only SEV guests need this." },
  },
  /** Connects Hyper-V's HvSignalEvent to an eventfd. */
  KVM_HYPERV_EVENTFD: {
    nr: 0xbd,
    dir: "w",
    arg: kvmHypervEventfd,
    on: "vm",
    cap: "HYPERV_EVENTFD",
    hints: {
      EEXIST: "This connection id has an eventfd.",
      ENOENT: "This connection id has no eventfd.",
      EINVAL: "The connection id has more than 24 bits, or a flag is unknown.",
    },
  },
  /** Watches pages for writes again. */
  KVM_CLEAR_DIRTY_LOG: {
    nr: 0xc0,
    dir: "rw",
    arg: kvmClearDirtyLog,
    on: "vm",
    cap: "MANUAL_DIRTY_LOG_PROTECT2",
    hints: {
      ENOENT: "There is no such slot, or it was set without MemFlag.LOG_DIRTY_PAGES.",
      EINVAL:
        "firstPage must be a multiple of 64, and numPages too unless it reaches the slot's end.",
      ENXIO: "This VM tells dirty pages by ring (Cap.DIRTY_LOG_RING): use KVM_RESET_DIRTY_RINGS.",
    },
  },
  /** Replaces the filter of MSR accesses. */
  KVM_X86_SET_MSR_FILTER: {
    nr: 0xc6,
    dir: "w",
    arg: kvmMsrFilter,
    on: "vm",
    cap: "X86_MSR_FILTER",
    hints: {
      EINVAL:
        "A range decides neither reads nor writes, is larger than 12288 MSRs, or a flag is unknown; a default of DENY needs at least one range.",
    },
  },
  /** Takes back the collected entries of all dirty rings; returns how many. */
  KVM_RESET_DIRTY_RINGS: {
    nr: 0xc7,
    dir: "none",
    on: "vm",
    cap: "DIRTY_LOG_RING",
    hints: {
      EINVAL: "The VM has no dirty rings: enable Cap.DIRTY_LOG_RING before the first vCPU.",
    },
  },
  /** Reads an attribute of a Xen guest. */
  KVM_XEN_HVM_GET_ATTR: {
    nr: 0xc8,
    dir: "rw",
    arg: kvmXenHvmAttr,
    on: "vm",
    cap: "XEN_HVM",
    hints: { ENOENT: "There is no attribute of this type, or it cannot be read." },
  },
  /** Writes an attribute of a Xen guest. */
  KVM_XEN_HVM_SET_ATTR: {
    nr: 0xc9,
    dir: "w",
    arg: kvmXenHvmAttr,
    on: "vm",
    cap: "XEN_HVM",
    hints: {
      ENOENT: "There is no attribute of this type, or no such port to change.",
      EEXIST: "This port is assigned: change it with XenEvtchn.UPDATE.",
    },
  },
  /** A file of statistics of the VM or vCPU. */
  KVM_GET_STATS_FD: { nr: 0xce, dir: "none", on: ["vm", "vcpu"], cap: "BINARY_STATS_FD" },
  /** Raises a Xen event channel. */
  KVM_XEN_HVM_EVTCHN_SEND: {
    nr: 0xd0,
    dir: "w",
    arg: kvmIrqRoutingXenEvtchn,
    on: "vm",
    cap: "XEN_HVM",
    hints: { EINVAL: "The port is 0 or too large, or the priority is not the two-level one." },
  },
  /** Makes a range of guest memory private or shared. */
  KVM_SET_MEMORY_ATTRIBUTES: {
    nr: 0xd2,
    dir: "w",
    arg: kvmMemoryAttributes,
    on: "vm",
    cap: "MEMORY_ATTRIBUTES",
    hints: {
      EINVAL:
        "Address and size must be multiples of the page size, and the VM's type must have the attribute (ask the VM for Cap.MEMORY_ATTRIBUTES).",
    },
  },
  /** Makes memory for slots with `MemFlag.GUEST_MEMFD`; returns its file descriptor. */
  KVM_CREATE_GUEST_MEMFD: {
    nr: 0xd4,
    dir: "rw",
    arg: kvmCreateGuestMemfd,
    on: "vm",
    cap: "GUEST_MEMFD",
    hints: {
      EINVAL:
        "The size must be a multiple of the page size and not 0; Cap.GUEST_MEMFD_FLAGS answers which flags this VM takes.",
    },
  },
  /** Makes a device that KVM emulates. */
  KVM_CREATE_DEVICE: {
    nr: 0xe0,
    dir: "rw",
    arg: kvmCreateDevice,
    on: "vm",
    cap: "DEVICE_CTRL",
    hints: {
      ENODEV: "This kernel has no device of this type; x86 has DeviceType.VFIO alone.",
      EBUSY: "The VM can have but one device of this type, and has it.",
    },
  },
} as const;
