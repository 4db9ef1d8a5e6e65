/**
 * From an MSR's number to its name.
 *
 * @module
 */

/** MSRs that come in rows: the first number, how many, and the name of each. */
interface Row {
  readonly first: number;
  readonly count: number;
  readonly name: (at: number) => string;
}

const bank = ["CTL", "STATUS", "ADDR", "MISC"];

/**
 * Registers of the x2APIC by offset / 16 (SDM volume 3, "Local APIC Register Address Map Supported by
 * x2APIC").
 */
const x2apic: Readonly<Record<number, string>> = {
  0x02: "APICID",
  0x03: "VERSION",
  0x08: "TPR",
  0x0a: "PPR",
  0x0b: "EOI",
  0x0d: "LDR",
  0x0f: "SIVR",
  0x28: "ESR",
  0x2f: "LVT_CMCI",
  0x30: "ICR",
  0x32: "LVT_TIMER",
  0x33: "LVT_THERMAL",
  0x34: "LVT_PMI",
  0x35: "LVT_LINT0",
  0x36: "LVT_LINT1",
  0x37: "LVT_ERROR",
  0x38: "INIT_COUNT",
  0x39: "CUR_COUNT",
  0x3e: "DIV_CONF",
  0x3f: "SELF_IPI",
};

const x2apicRows = ["ISR", "TMR", "IRR"];

function x2apicName(at: number): string {
  const row = x2apicRows[(at >> 3) - 2];
  return `X2APIC_${x2apic[at] ?? (row === undefined ? at.toString(16) : `${row}${at & 7}`)}`;
}

const rows: readonly Row[] = [
  { first: 0xc1, count: 8, name: (at) => `PMC${at}` },
  { first: 0x186, count: 8, name: (at) => `PERFEVTSEL${at}` },
  { first: 0x200, count: 20, name: (at) => `MTRR_PHYS${at & 1 ? "MASK" : "BASE"}${at >> 1}` },
  { first: 0x280, count: 32, name: (at) => `MC${at}_CTL2` },
  { first: 0x309, count: 16, name: (at) => `FIXED_CTR${at}` },
  { first: 0x400, count: 128, name: (at) => `MC${at >> 2}_${bank[at & 3]}` },
  { first: 0x4c1, count: 8, name: (at) => `A_PMC${at}` },
  { first: 0x580, count: 8, name: (at) => `RTIT_ADDR${at >> 1}_${at & 1 ? "B" : "A"}` },
  { first: 0x800, count: 0x100, name: x2apicName },
  { first: 0x40000090, count: 16, name: (at) => `HV_SINT${at}` },
  {
    first: 0x400000b0,
    count: 8,
    name: (at) => `HV_STIMER${at >> 1}_${at & 1 ? "COUNT" : "CONFIG"}`,
  },
  { first: 0x40000100, count: 5, name: (at) => `HV_CRASH_P${at}` },
  { first: 0xc0010000, count: 4, name: (at) => `PERFEVTSEL${at}_LEGACY` },
  { first: 0xc0010004, count: 4, name: (at) => `PERFCTR${at}_LEGACY` },
  { first: 0xc0010064, count: 8, name: (at) => `PSTATE_DEF${at}` },
  { first: 0xc0010200, count: 12, name: (at) => `PERF_${at & 1 ? "CTR" : "CTL"}${at >> 1}` },
];

/** The name of an MSR that is one of a row. */
export function rowName(index: number): string | undefined {
  const row = rows.find(({ first, count }) => index >= first && index < first + count);
  return row?.name(index - row.first);
}
