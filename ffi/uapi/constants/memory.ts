/**
 * Flags of guest memory and of its dirty tracking.
 *
 * @module
 */

/** `KVM_MEM_*`: flags of a memory slot. */
export const MemFlag = {
  /** Track which pages are written. */
  LOG_DIRTY_PAGES: 1,
  /** Guest writes exit as MMIO. */
  READONLY: 2,
  /** The slot has private memory from a guest_memfd. */
  GUEST_MEMFD: 4,
} as const;

/** `KVM_MEMORY_ATTRIBUTE_*`: attributes of a range of guest memory. */
export const MemoryAttribute = {
  /** Accesses go to the guest_memfd. */
  PRIVATE: 0x8n,
} as const;

/** `GUEST_MEMFD_FLAG_*`: flags of `KVM_CREATE_GUEST_MEMFD`. */
export const GuestMemfdFlag = {
  /** The host can map it. */
  MMAP: 0x1n,
  /** It begins as shared. */
  INIT_SHARED: 0x2n,
} as const;

/** `KVM_DIRTY_LOG_*`: how `Cap.MANUAL_DIRTY_LOG_PROTECT2` tracks. */
export const DirtyLogMode = {
  /** Reading the bitmap does not clear it: `KVM_CLEAR_DIRTY_LOG` does. */
  MANUAL_PROTECT_ENABLE: 1,
  /** Every page begins as dirty. */
  INITIALLY_SET: 2,
} as const;

/** `KVM_DIRTY_GFN_F_*`: whose an entry of a dirty ring is. */
export const DirtyGfnFlag = {
  /** Set by KVM: collect the entry. */
  DIRTY: 1,
  /** Set by user space: collected. */
  RESET: 2,
  /** Both. */
  MASK: 3,
} as const;
