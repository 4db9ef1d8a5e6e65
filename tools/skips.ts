/**
 * Shows which tests were skipped on which backend, and for want of what. A test that was skipped on
 * all of them proves nothing: it fails this tool, unless {@linkcode nowhere} says why.
 *
 *     deno run --allow-read tools/skips.ts host.xml nested.xml
 *     deno run --allow-read tools/skips.ts --files host.xml nested.xml
 *
 * The arguments are reports of `deno test --junit-path`, each named after its backend. With --files it
 * only lists the test files in which something ran nowhere, for a backend that may have it.
 *
 * @module
 */

import { basename } from "node:path";

/** What a test may need although no backend at hand may have it: where it would run. */
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
  /** On each of the backends, in their order. */
  readonly fates: readonly Fate[];
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

/** The tests that were skipped on any of the backends, by what they need. */
export function skippedRows(backends: readonly (readonly TestCase[])[]): Row[] {
  const rows = new Map<string, { test: string; needs: string; fates: Fate[] }>();
  for (const [at, cases] of backends.entries()) {
    for (const { test, needs, skipped } of cases) {
      let row = rows.get(test);
      if (row === undefined) {
        row = { test, needs, fates: backends.map(() => "absent") };
        rows.set(test, row);
      }
      // Where it is only the reason for skipping, the name has it only there.
      row.needs = needs || row.needs;
      row.fates[at] = skipped ? "skipped" : "ran";
    }
  }
  return [...rows.values()]
    .filter(({ fates }) => fates.includes("skipped"))
    .sort((a, b) => compare(a.needs, b.needs) || compare(a.test, b.test));
}

/** Whether a test has run on no backend. */
export function ranNowhere({ fates }: Row): boolean {
  return !fates.includes("ran");
}

/** The files of tests that have run on no backend. */
export function filesOf(rows: readonly Row[]): string[] {
  return [...new Set(rows.filter(ranNowhere).map(({ test }) => test.split(": ")[0]!))].sort();
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * What is wrong: each a line. A machine that has something on the list is none: it is a better one.
 *
 * @param all All reports' tests.
 */
export function complaints(
  rows: readonly Row[],
  all: readonly TestCase[],
  known: Readonly<Record<string, string>> = nowhere,
): string[] {
  return [
    ...rows.filter(({ needs }) => needs === "")
      .map(({ test }) => `is skipped and does not say what it needs: ${test}`),
    ...rows.filter(ranNowhere).filter(({ needs }) => needs !== "" && known[needs] === undefined)
      .map(({ test, needs }) => `ran nowhere, for want of ${needs}: ${test}`),
    ...Object.keys(known).filter((listed) => !all.some(({ needs }) => needs === listed))
      .map((needs) => `is on the list in tools/skips.ts, and no test needs it: ${needs}`),
  ];
}

/** The table: a heading for each need, and below it the tests with how they fared. */
export function table(names: readonly string[], rows: readonly Row[]): string {
  const width = Math.max("skipped".length, ...names.map(({ length }) => length)) + 2;
  const line = (cells: readonly string[], test: string) =>
    cells.map((cell) => cell.padEnd(width)).join("") + test;
  const lines = [line(names, "test")];
  for (const [needs, group] of Map.groupBy(rows, (row) => row.needs)) {
    const why = nowhere[needs];
    lines.push("", `needs ${needs || "nothing that it says"}`);
    if (why !== undefined && group.every(ranNowhere)) lines.push(`would run ${why}`);
    for (const { fates, test } of group) lines.push(line(fates, test));
  }
  return lines.join("\n");
}

/** How many tests each backend had, and how many it skipped. */
function summary(names: readonly string[], rows: readonly Row[], counts: readonly number[]) {
  const skipped = (at: number) => rows.filter(({ fates }) => fates[at] === "skipped").length;
  const backends = names.map((name, at) => `${name}: ${counts[at]} tests, ${skipped(at)} skipped`);
  return `${backends.join("; ")}; nowhere run: ${rows.filter(ranNowhere).length}`;
}

if (import.meta.main) {
  const listsFiles = Deno.args[0] === "--files";
  const paths = listsFiles ? Deno.args.slice(1) : Deno.args;
  if (paths.length < 2 || paths.some((path) => path.startsWith("-"))) {
    console.error(
      "Usage: deno run --allow-read tools/skips.ts [--files] HOST.xml NESTED.xml [MORE.xml]...",
    );
    Deno.exit(2);
  }
  const names = paths.map((path) => basename(path, ".xml"));
  const backends = paths.map((path) => readCases(Deno.readTextFileSync(path)));
  const rows = skippedRows(backends);
  if (listsFiles) {
    for (const file of filesOf(rows)) console.log(file);
    Deno.exit(0);
  }
  console.log(table(names, rows));
  console.log(`\n${summary(names, rows, backends.map(({ length }) => length))}`);
  const wrong = complaints(rows, backends.flat());
  for (const line of wrong) console.error(`skips: ${line}`);
  Deno.exit(wrong.length > 0 ? 1 : 0);
}
