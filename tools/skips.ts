/**
 * Shows which tests were skipped on which of the two backends, and for want of what. A test that was
 * skipped on both proves nothing: it fails this tool, unless {@linkcode nowhere} says why.
 *
 *     deno run --allow-read tools/skips.ts host.xml nested.xml
 *
 * The files are reports of `deno test --junit-path`.
 *
 * @module
 */

/** What a test may need although neither backend at hand has it: where it would run. */
export const nowhere: Readonly<Record<string, string>> = {
  "KVM's PMU_CAPABILITY": "with performance counters, which neither processor has for guests",
  "KVM's PRE_FAULT_MEMORY": "with nested paging and Linux 6.11; Debian 12's is 6.1",
  "KVM's PRE_FAULT_MEMORY, BINARY_STATS_FD": "the same",
  "KVM's TSC_CONTROL": "where the processor scales a guest's TSC; QEMU's doesn't",
  "KVM's VM_TSC_CONTROL": "the same",
  "KVM's X86_BUS_LOCK_EXIT": "on Intel's newer processors",
  "KVM's X86_NOTIFY_VMEXIT": "on Intel's newer processors",
  "KVM's XEN_HVM": "with a kernel that is built with CONFIG_KVM_XEN",
  "a PMU that counts": "with performance counters, as above",
  "a VM type with MEMORY_ATTRIBUTES": "with SEV-SNP, TDX or CONFIG_KVM_SW_PROTECTED_VM",
  "access watchpoints that fire": "on a processor that the guest has for itself",
  "write watchpoints that fire": "on a processor that the guest has for itself",
  "software breakpoints that fire": "on a processor that the guest has for itself",
  "five levels of page tables": "on a processor with LA57 and nested paging to match",
  "the guests of KVM_TEST_GUESTS, and a KVM that interprets level 0":
    "with a KVM that has no help from the processor, such as kvm_pvm",
};

/** A test as a report has it. */
export interface TestCase {
  /** The file, and what the test's name says without {@linkcode needs}. */
  readonly test: string;
  /** What its name says that it needs: empty if nothing. */
  readonly needs: string;
  readonly skipped: boolean;
}

/** How a test fared: it ran, was skipped, or isn't in the report at all. */
export type Fate = "ran" | "skipped" | "absent";

/** A test that was skipped somewhere. */
export interface Row {
  readonly test: string;
  readonly needs: string;
  readonly host: Fate;
  readonly nested: Fate;
}

/** What a test needs stands at the end of its name; why it was ignored, too. */
const NEEDS = /(?: \((?:needs|ignored:) [^()]*\))+$/;

/** The tests of a report. */
export function readCases(xml: string): TestCase[] {
  const cases = xml.matchAll(
    /<testcase name="([^"]*)" classname="([^"]*)"[^>]*?(\/>|>[^]*?<\/testcase>)/g,
  );
  return Array.from(cases, ([, name = "", file = "", body = ""]) => {
    const title = decode(name);
    const needs = NEEDS.exec(title)?.[0] ?? "";
    return {
      test: `${decode(file).replace(/^\.\//, "")}: ${title.slice(0, title.length - needs.length)}`,
      needs: needs.replace(/^ \((?:needs )?|\)$/g, "").replaceAll(/\) \((?:needs )?/g, "; "),
      skipped: /<skipped/.test(body),
    };
  });
}

const entities: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

function decode(text: string): string {
  return text.replaceAll(
    /&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi,
    (whole, hex: string | undefined, decimal: string | undefined, name: string) =>
      hex !== undefined
        ? String.fromCodePoint(parseInt(hex, 16))
        : decimal !== undefined
        ? String.fromCodePoint(Number(decimal))
        : entities[name] ?? whole,
  );
}

/** The tests that were skipped on one of the backends or on both, by what they need. */
export function skippedRows(host: readonly TestCase[], nested: readonly TestCase[]): Row[] {
  const rows = new Map<string, Row>();
  for (const { test, needs, skipped } of host) {
    rows.set(test, { test, needs, host: skipped ? "skipped" : "ran", nested: "absent" });
  }
  for (const { test, needs, skipped } of nested) {
    const { host = "absent", needs: known = "" } = rows.get(test) ?? {};
    // Where it is only the reason for skipping, the name has it only there.
    rows.set(test, { test, needs: needs || known, host, nested: skipped ? "skipped" : "ran" });
  }
  return [...rows.values()]
    .filter(({ host, nested }) => host === "skipped" || nested === "skipped")
    .sort((a, b) => compare(a.needs, b.needs) || compare(a.test, b.test));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * What is wrong: each a line. A machine that has something on the list is none: it is a better one.
 *
 * @param all Both reports' tests.
 */
export function complaints(
  rows: readonly Row[],
  all: readonly TestCase[],
  known: Readonly<Record<string, string>> = nowhere,
): string[] {
  const everywhere = rows.filter(({ host, nested }) => host !== "ran" && nested !== "ran");
  return [
    ...rows.filter(({ needs }) => needs === "")
      .map(({ test }) => `is skipped and does not say what it needs: ${test}`),
    ...everywhere.filter(({ needs }) => needs !== "" && known[needs] === undefined)
      .map(({ test, needs }) => `ran nowhere, for want of ${needs}: ${test}`),
    ...Object.keys(known).filter((listed) => !all.some(({ needs }) => needs === listed))
      .map((needs) => `is on the list in tools/skips.ts, and no test needs it: ${needs}`),
  ];
}

/** The table: a heading for each need, and below it the tests with how they fared. */
export function table(rows: readonly Row[]): string {
  const lines = [`${"host".padEnd(9)}${"nested".padEnd(9)}test`];
  for (const [needs, group] of Map.groupBy(rows, (row) => row.needs)) {
    const why = nowhere[needs];
    const ran = group.some(({ host, nested }) => host === "ran" || nested === "ran");
    lines.push("", `needs ${needs || "nothing that it says"}`);
    if (why !== undefined && !ran) lines.push(`would run ${why}`);
    for (const { host, nested, test } of group) {
      lines.push(`${host.padEnd(9)}${nested.padEnd(9)}${test}`);
    }
  }
  return lines.join("\n");
}

if (import.meta.main) {
  const [host, nested, ...more] = Deno.args;
  if (host === undefined || nested === undefined || more.length > 0) {
    console.error("Usage: deno run --allow-read tools/skips.ts HOST.xml NESTED.xml");
    Deno.exit(2);
  }
  const read = (path: string) => readCases(Deno.readTextFileSync(path));
  const [onHost, inside] = [read(host), read(nested)];
  const rows = skippedRows(onHost, inside);
  console.log(table(rows));
  const count = (fate: (row: Row) => boolean) => rows.filter(fate).length;
  console.log(
    `\n${onHost.length} tests on the host, ${inside.length} inside; skipped on the host alone: ` +
      `${count(({ nested }) => nested === "ran")}, inside alone: ` +
      `${count(({ host }) => host === "ran")}, nowhere run: ` +
      `${count(({ host, nested }) => host !== "ran" && nested !== "ran")}`,
  );
  const wrong = complaints(rows, [...onHost, ...inside]);
  for (const line of wrong) console.error(`skips: ${line}`);
  Deno.exit(wrong.length > 0 ? 1 : 0);
}
