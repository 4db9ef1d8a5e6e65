/**
 * Guest memory: slots, dirty tracking, private memory, address translation (api.rst 4.8, 4.15,
 * 4.35, 4.111, 4.116, 4.117, 4.140-4.143).
 *
 * @module
 */

/** `struct kvm_userspace_memory_region`: a memory slot (`KVM_SET_USER_MEMORY_REGION`). */
export const kvmUserspaceMemoryRegion = {
  /** Bits 0-15 number the slot, bits 16-31 its address space (1 is SMM). */
  slot: "u32",
  /** `MemFlag`. */
  flags: "u32",
  /** Where the guest sees it: a multiple of the page size. */
  guestPhysAddr: "gpa",
  /** Bytes, a multiple of the page size; 0 deletes the slot. */
  memorySize: "gpa",
  /** Host address that backs it: a multiple of the page size. */
  userspaceAddr: "u64",
} as const;

/** `struct kvm_userspace_memory_region2`: a slot that can have private memory as well. */
export const kvmUserspaceMemoryRegion2 = {
  slot: "u32",
  /** `MemFlag`; the guest_memfd fields count with `MemFlag.GUEST_MEMFD`. */
  flags: "u32",
  guestPhysAddr: "gpa",
  memorySize: "gpa",
  userspaceAddr: "u64",
  /** Byte offset into the guest_memfd, a multiple of the page size. */
  guestMemfdOffset: "gpa",
  /** The file descriptor of `KVM_CREATE_GUEST_MEMFD`. */
  guestMemfd: "u32",
  pad1: "u32",
  pad2: "u64[14]",
} as const;

/** `struct kvm_create_guest_memfd`: memory that the host cannot map (`KVM_CREATE_GUEST_MEMFD`). */
export const kvmCreateGuestMemfd = {
  /** Bytes, a multiple of the page size. */
  size: "gpa",
  /** `GuestMemfdFlag`. */
  flags: "u64",
  reserved: "u64[6]",
} as const;

/** `struct kvm_memory_attributes`: makes a range private or shared (`KVM_SET_MEMORY_ATTRIBUTES`). */
export const kvmMemoryAttributes = {
  /** Guest-physical start, a multiple of the page size. */
  address: "gpa",
  /** Bytes, a multiple of the page size. */
  size: "gpa",
  /** `MemoryAttribute`; the range gets exactly these. */
  attributes: "u64",
  /** No flag is defined: 0. */
  flags: "u64",
} as const;

/** `struct kvm_pre_fault_memory`: a range to map ahead of use (`KVM_PRE_FAULT_MEMORY`). */
export const kvmPreFaultMemory = {
  /** In: start. Out, when the call ended early: where to go on. */
  gpa: "gpa",
  /** In: bytes. Out: bytes still to do. */
  size: "gpa",
  /** No flag is defined: 0. */
  flags: "u64",
  padding: "u64[5]",
} as const;

/** `struct kvm_dirty_log`: asks for a slot's dirty bitmap (`KVM_GET_DIRTY_LOG`). */
export const kvmDirtyLog = {
  slot: "u32",
  padding1: "u32",
  /** Host address of the bitmap: a bit per page, in whole u64. */
  dirtyBitmap: "u64",
} as const;

/** `struct kvm_clear_dirty_log`: pages to watch again (`KVM_CLEAR_DIRTY_LOG`). */
export const kvmClearDirtyLog = {
  slot: "u32",
  /** A multiple of 64, or up to the slot's end. */
  numPages: "u32",
  /** A page number within the slot, a multiple of 64. */
  firstPage: "gpa",
  /** Host address of the bitmap whose set bits are cleared in KVM. */
  dirtyBitmap: "u64",
} as const;

/** `struct kvm_dirty_gfn`: one entry of a vCPU's dirty ring (`Cap.DIRTY_LOG_RING`). */
export const kvmDirtyGfn = {
  /** `DirtyGfnFlag`: read with acquire order, written with release order. */
  flags: "u32",
  /** Slot and address space, as in {@linkcode kvmUserspaceMemoryRegion}. */
  slot: "u32",
  /** The page's number within the slot. */
  offset: "gpa",
} as const;

/** `struct kvm_coalesced_mmio_zone`: writes here are queued and cause no exit. */
export const kvmCoalescedMmioZone = {
  addr: "gpa",
  /** Bytes. */
  size: "u32",
  /** 1 when `addr` is an I/O port (`Cap.COALESCED_PIO`), else 0. */
  pio: "u32",
} as const;

/** `struct kvm_coalesced_mmio`: one queued write. */
export const kvmCoalescedMmio = {
  physAddr: "gpa",
  /** Bytes of `data` in use. */
  len: "u32",
  /** 1 when `physAddr` is an I/O port. */
  pio: "u32",
  data: "u8[8]",
} as const;

/** `struct kvm_coalesced_mmio_ring`: the queue, one page shared with KVM by a whole VM. */
export const kvmCoalescedMmioRing = {
  /** Index of the oldest write not yet taken; written by user space. */
  first: "u32",
  /** Index behind the newest write; written by KVM. The ring is empty when both are equal. */
  last: "u32",
  coalescedMmio: [kvmCoalescedMmio],
} as const;

/** `struct kvm_translation`: a walk of the guest's page tables (`KVM_TRANSLATE`). */
export const kvmTranslation = {
  linearAddress: "u64",
  /** All ones when `valid` is 0. */
  physicalAddress: "u64",
  /** 1 when the address is mapped. */
  valid: "u8",
  /** KVM answers 1, whatever the page tables say. */
  writeable: "u8",
  /** KVM answers 0, whatever the page tables say. */
  usermode: "u8",
  pad: "u8[5]",
} as const;

/** `struct kvm_enc_region`: host memory that will hold encrypted guest pages (SEV). */
export const kvmEncRegion = {
  /** Host address. */
  addr: "u64",
  /** Bytes. */
  size: "u64",
} as const;
