/**
 * What a vCPU's architectural state looks like to KVM: general registers, segments, control
 * registers, FPU and extended state (api.rst 4.11-4.14, 4.22, 4.42, 4.44, 4.68, 4.84,
 * 4.131, 4.134).
 *
 * @module
 */

/** `struct kvm_regs`: the general registers (`KVM_GET_REGS`, `KVM_SET_REGS`). */
export const kvmRegs = {
  rax: "u64",
  rbx: "u64",
  rcx: "u64",
  rdx: "u64",
  rsi: "u64",
  rdi: "u64",
  rsp: "u64",
  rbp: "u64",
  r8: "u64",
  r9: "u64",
  r10: "u64",
  r11: "u64",
  r12: "u64",
  r13: "u64",
  r14: "u64",
  r15: "u64",
  rip: "u64",
  /** Bit 1 is always set; a vCPU refuses to enter without it. */
  rflags: "u64",
} as const;

/** `struct kvm_segment`: a segment register with its hidden part (SDM volume 3, "Segment Registers"). */
export const kvmSegment = {
  /** Linear address of byte 0 of the segment. */
  base: "u64",
  /** Last valid offset, in bytes whatever `g` says: KVM wants the limit already scaled. */
  limit: "u32",
  selector: "u16",
  /** The descriptor's 4-bit type. */
  type: "u8",
  present: "u8",
  /** Privilege level, 0 to 3; the one of SS is the vCPU's CPL. */
  dpl: "u8",
  /** Default operation size: 1 is 32 bit, 0 is 16 bit (and 64 bit, where `l` is 1). */
  db: "u8",
  /** 1 is code or data, 0 a system descriptor (TSS, LDT). */
  s: "u8",
  /** 64-bit code; needs `db` 0. */
  l: "u8",
  /** Granularity: 1 when the descriptor counts 4 KiB pages. */
  g: "u8",
  /** For software's use. */
  avl: "u8",
  /** 1 when the register holds a null selector. */
  unusable: "u8",
  padding: "u8",
} as const;

/** `struct kvm_dtable`: GDTR or IDTR. */
export const kvmDtable = {
  /** Linear address of the table. */
  base: "u64",
  /** Bytes in the table, minus one. */
  limit: "u16",
  padding: "u16[3]",
} as const;

/** `struct kvm_sregs`: segments, descriptor tables and control registers (`KVM_GET_SREGS`). */
export const kvmSregs = {
  cs: kvmSegment,
  ds: kvmSegment,
  es: kvmSegment,
  fs: kvmSegment,
  gs: kvmSegment,
  ss: kvmSegment,
  tr: kvmSegment,
  ldt: kvmSegment,
  gdt: kvmDtable,
  idt: kvmDtable,
  cr0: "u64",
  cr2: "u64",
  cr3: "u64",
  cr4: "u64",
  /** Task priority, 0 to 15. */
  cr8: "u64",
  efer: "u64",
  /** IA32_APIC_BASE. */
  apicBase: "u64",
  /**
   * `BigUint64Array` of 4, one bit per vector; at most one is set: the external interrupt waiting to
   * be injected.
   */
  interruptBitmap: "u64[4]",
} as const;

/** `struct kvm_sregs2`: {@linkcode kvmSregs} with the PDPTRs in place of the interrupt bitmap. */
export const kvmSregs2 = {
  cs: kvmSegment,
  ds: kvmSegment,
  es: kvmSegment,
  fs: kvmSegment,
  gs: kvmSegment,
  ss: kvmSegment,
  tr: kvmSegment,
  ldt: kvmSegment,
  gdt: kvmDtable,
  idt: kvmDtable,
  cr0: "u64",
  cr2: "u64",
  cr3: "u64",
  cr4: "u64",
  cr8: "u64",
  efer: "u64",
  apicBase: "u64",
  /** `Sregs2Flag`. */
  flags: "u64",
  /**
   * `BigUint64Array` of 4: the PAE page-directory pointers; meaningful with
   * `Sregs2Flag.PDPTRS_VALID`.
   */
  pdptrs: "u64[4]",
} as const;

/** `struct kvm_fpu`: x87 and SSE state (`KVM_GET_FPU`); {@linkcode kvmXsave} has all of it. */
export const kvmFpu = {
  /** `Uint8Array` of 128: eight registers of 16 bytes, each an 80-bit value in the low 10. */
  fpr: "u8[128]",
  fcw: "u16",
  fsw: "u16",
  /** Tag word as FXSAVE abridges it: one bit per register, 1 is in use. */
  ftwx: "u8",
  pad1: "u8",
  lastOpcode: "u16",
  lastIp: "u64",
  lastDp: "u64",
  /** `Uint8Array` of 256: sixteen registers of 16 bytes. */
  xmm: "u8[256]",
  mxcsr: "u32",
  pad2: "u32",
} as const;

/**
 * `struct kvm_xsave`: the XSAVE area, laid out as the host's CPUID leaf 0xD says. `KVM_GET_XSAVE`
 * fills `region` alone; `KVM_GET_XSAVE2` as many bytes as `Cap.XSAVE2` answers on the VM.
 */
export const kvmXsave = {
  /** `Uint32Array` of 1024: the first 4096 bytes. */
  region: "u32[1024]",
  /**
   * `Uint32Array`: state past 4096 bytes; there is some only where a dynamic feature (AMX) is enabled.
   */
  extra: "u32[]",
} as const;

/** `struct kvm_xcr`: one extended control register. */
export const kvmXcr = {
  /** Its number; 0 is XCR0. */
  xcr: "u32",
  reserved: "u32",
  value: "u64",
} as const;

/** `struct kvm_xcrs`: the extended control registers (`KVM_GET_XCRS`). */
export const kvmXcrs = {
  /** Entries in use. */
  nrXcrs: "u32",
  flags: "u32",
  /** A list of 16, of which the first `nrXcrs` count. */
  xcrs: [kvmXcr, 16],
  padding: "u64[16]",
} as const;

/** `struct kvm_one_reg`: names one register and where its value is (`KVM_GET_ONE_REG`). */
export const kvmOneReg = {
  /** Architecture, size and index, packed (`OneReg`). */
  id: "u64",
  /** Host address of a buffer of the size that `id` encodes. */
  addr: "u64",
} as const;

/** `struct kvm_reg_list`: the ids that `KVM_GET_ONE_REG` knows (`KVM_GET_REG_LIST`). */
export const kvmRegList = {
  /** In: room in `reg`. Out: how many there are. */
  n: "u64",
  /** `BigUint64Array`: the ids. */
  reg: "u64[]",
} as const;
