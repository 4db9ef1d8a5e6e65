/**
 * What the host's KVM can do, for people to read.
 *
 * @module
 */

import type { Cell, Style, Terminal } from "../terminal.ts";
import type { Capability, CpuidInfo, Feature, HostInfo, Limit, Msr } from "./collect.ts";

/** The whole of it as text. */
export function render(info: HostInfo, terminal: Terminal): string {
  const { device, apiVersion, limits, capabilities, cpuid, msrs } = info;
  const parts: Part[] = [
    ...(limits === undefined ? [] : limitParts(limits)),
    ...(capabilities === undefined ? [] : capabilityParts(capabilities)),
    ...(cpuid === undefined ? [] : cpuidParts(cpuid)),
    ...(msrs === undefined ? [] : msrParts(msrs)),
  ];
  const tables = parts.filter(({ rows }) => rows.length > 0).map(({ title, note, rows, styles }) =>
    `${terminal.paint("bold", title)} ${terminal.paint("dim", note)}\n` +
    terminal.table(rows, styles)
  );
  return [`KVM at ${device}, API version ${apiVersion}\n`, ...tables].join("\n");
}

/** A table with its heading. */
interface Part {
  readonly title: string;
  readonly note: string;
  readonly rows: readonly (readonly Cell[])[];
  readonly styles: readonly (Style | undefined)[];
}

function limitParts(limits: readonly Limit[]): Part[] {
  const rows = limits.map(({ name, value, meaning }) => [name, value, meaning]);
  return [{ title: "Limits", note: "of a VM", rows, styles: ["green", undefined, "dim"] }];
}

function capabilityParts(capabilities: readonly Capability[]): Part[] {
  const there = capabilities.filter(({ value }) => value > 0);
  const rows = there.map(({ name, value, flags = [], meaning }) => {
    const names = flags.length === 0 ? "" : ` [${flags.join(" ")}]`;
    return [name, value, meaning + names];
  });
  const note = `(${rows.length}: name, answer, meaning)`;
  const lacking = capabilities.filter(({ value }) => value === 0);
  return [
    { title: "Capabilities", note, rows, styles: ["green", undefined, "dim"] },
    absent("Capabilities that are absent", lacking.map(({ name, meaning }) => [name, meaning])),
  ];
}

function cpuidParts(cpuid: CpuidInfo): Part[] {
  const { vendor, brand, family, model, stepping, maxLeaf, features, emulated } = cpuid;
  const identity = [
    ["vendor", vendor],
    ["brand", brand || "(none)"],
    ["model", `family ${family}, model ${model}, stepping ${stepping}`],
    ["highest leaf", `0x${maxLeaf.toString(16)}`],
    ["emulated", emulated.join(" ") || "(none)"],
  ];
  const row = ({ name, place, meaning }: Feature) => [name, place, meaning];
  const rows = features.filter(({ present }) => present).map(row);
  const note = `(${rows.length}: name, place, meaning)`;
  return [
    { title: "CPUID", note: "that KVM supports for guests", rows: identity, styles: ["green"] },
    { title: "CPUID features", note, rows, styles: ["green", undefined, "dim"] },
    absent("CPUID features that are absent", features.filter(({ present }) => !present).map(row)),
  ];
}

function msrParts(msrs: readonly Msr[]): Part[] {
  const number = (index: number) => `0x${index.toString(16).padStart(8, "0")}`;
  const there = msrs.filter(({ kind }) => kind !== "unlisted");
  const rows = there.map(({ name, index, kind, value, meaning }) => [
    ...[name, number(index), kind],
    value === undefined ? meaning : `${meaning} [${value}]`,
  ]);
  const note = `(${rows.length}: name, number, kind, meaning)`;
  const lacking = msrs.filter(({ kind }) => kind === "unlisted");
  return [
    { title: "MSRs", note, rows, styles: ["green", undefined, undefined, "dim"] },
    absent(
      "MSRs that KVM does not list",
      lacking.map(({ name, index, meaning }) => [name, number(index), meaning]),
    ),
  ];
}

function absent(title: string, rows: Part["rows"]): Part {
  return { title, note: `(${rows.length})`, rows, styles: ["red"] };
}
