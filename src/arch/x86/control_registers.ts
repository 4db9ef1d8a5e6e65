/**
 * The bits of CR0, CR4, EFER and XCR0 (SDM volume 3, "Control Registers", "Extended Feature
 * Enable Register", "Extended Control Registers"; AMD APM volume 2, 3.1).
 *
 * @module
 */

/** CR0: operating modes and the FPU (SDM volume 3, "Control Registers"). */
export const CR0 = {
  /** Protection enable: protected mode. */
  PE: 1n << 0n,
  /** Monitor coprocessor: WAIT heeds TS. */
  MP: 1n << 1n,
  /** Emulation: x87 instructions raise #NM. */
  EM: 1n << 2n,
  /** Task switched: the next x87, MMX or SSE instruction raises #NM. */
  TS: 1n << 3n,
  /** Extension type; always set since the 486. */
  ET: 1n << 4n,
  /** Numeric error: x87 errors are #MF rather than an external interrupt. */
  NE: 1n << 5n,
  /** Write protect: the supervisor heeds read-only pages, too. */
  WP: 1n << 16n,
  /** Alignment mask: with RFLAGS.AC, unaligned accesses at level 3 raise #AC. */
  AM: 1n << 18n,
  /** Not write-through. */
  NW: 1n << 29n,
  /** Cache disable. */
  CD: 1n << 30n,
  /** Paging. */
  PG: 1n << 31n,
} as const;

/** CR4: extensions, each to be enabled by the operating system (SDM volume 3, "Control Registers"). */
export const CR4 = {
  /** Virtual-8086 mode extensions. */
  VME: 1n << 0n,
  /** Protected-mode virtual interrupts. */
  PVI: 1n << 1n,
  /** Time stamp disable: RDTSC at level 0 only. */
  TSD: 1n << 2n,
  /** Debugging extensions: DR4 and DR5 raise #UD. */
  DE: 1n << 3n,
  /** Page size extensions: 4 MiB pages with 32-bit paging. */
  PSE: 1n << 4n,
  /** Physical address extension: 64-bit page-table entries; long mode needs it. */
  PAE: 1n << 5n,
  /** Machine-check enable. */
  MCE: 1n << 6n,
  /** Page global enable. */
  PGE: 1n << 7n,
  /** Performance counter enable: RDPMC at any level. */
  PCE: 1n << 8n,
  /** The operating system saves SSE state by FXSAVE: SSE instructions work. */
  OSFXSR: 1n << 9n,
  /** The operating system handles #XM: unmasked SSE errors raise it. */
  OSXMMEXCPT: 1n << 10n,
  /** User-mode instruction prevention: SGDT, SIDT, SLDT, SMSW, STR at level 0 only. */
  UMIP: 1n << 11n,
  /** Linear addresses of 57 bits: five levels of page tables. */
  LA57: 1n << 12n,
  /** VMX enable. */
  VMXE: 1n << 13n,
  /** SMX enable. */
  SMXE: 1n << 14n,
  /** RDFSBASE, WRFSBASE, RDGSBASE, WRGSBASE at any level. */
  FSGSBASE: 1n << 16n,
  /** Process-context identifiers. */
  PCIDE: 1n << 17n,
  /** XSAVE and the extended control registers. */
  OSXSAVE: 1n << 18n,
  /** Key locker. */
  KL: 1n << 19n,
  /** Supervisor-mode execution prevention. */
  SMEP: 1n << 20n,
  /** Supervisor-mode access prevention. */
  SMAP: 1n << 21n,
  /** Protection keys for user pages. */
  PKE: 1n << 22n,
  /** Control-flow enforcement. */
  CET: 1n << 23n,
  /** Protection keys for supervisor pages. */
  PKS: 1n << 24n,
  /** User interrupts. */
  UINTR: 1n << 25n,
  /** Linear-address masking of supervisor pointers. */
  LAM_SUP: 1n << 28n,
} as const;

/** EFER, MSR 0xC0000080 (SDM volume 3, "Extended Feature Enable Register"; APM volume 2, 3.1.7). */
export const EFER = {
  /** SYSCALL and SYSRET. */
  SCE: 1n << 0n,
  /** Long mode enable: the next time paging is enabled. */
  LME: 1n << 8n,
  /** Long mode active. */
  LMA: 1n << 10n,
  /** No-execute bit in page-table entries. */
  NXE: 1n << 11n,
  /** AMD: SVM enable. */
  SVME: 1n << 12n,
  /** AMD: long mode segment limits. */
  LMSLE: 1n << 13n,
  /** AMD: FXSAVE and FXRSTOR leave XMM registers out in 64-bit mode at level 0. */
  FFXSR: 1n << 14n,
  /** AMD: translation cache extension. */
  TCE: 1n << 15n,
  /** AMD: automatic IBRS. */
  AUTOIBRS: 1n << 21n,
} as const;

/**
 * XCR0: the state that XSAVE handles and the operating system enables (SDM volume 1, "Enabling the XSAVE
 * Feature Set and XSAVE-Enabled Features").
 */
export const XCR0 = {
  /** x87; always set. */
  X87: 1n << 0n,
  /** XMM registers and MXCSR. */
  SSE: 1n << 1n,
  /** Upper halves of the YMM registers. */
  AVX: 1n << 2n,
  /** MPX bound registers. */
  BNDREGS: 1n << 3n,
  /** MPX configuration. */
  BNDCSR: 1n << 4n,
  /** AVX-512 mask registers. */
  OPMASK: 1n << 5n,
  /** Upper halves of ZMM0 to ZMM15. */
  ZMM_HI256: 1n << 6n,
  /** ZMM16 to ZMM31. */
  HI16_ZMM: 1n << 7n,
  /** PKRU. */
  PKRU: 1n << 9n,
  /** AMX tile configuration. */
  TILECFG: 1n << 17n,
  /** AMX tiles. */
  TILEDATA: 1n << 18n,
} as const;
