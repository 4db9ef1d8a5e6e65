/**
 * CPU models as text, for command lines: `"host,-avx512f,+x2apic"`.
 *
 * @module
 */

import { Errno, KvmError, show } from "../../../../ffi/mod.ts";
import { type CpuidFeature, cpuidFeature } from "./features.ts";

/** A CPU model: where to start from, and what to change. */
export interface CpuModel {
  /** `"host"` is what KVM supports here; `"baseline"` is the same on every host. */
  readonly base: "host" | "baseline";
  /** Features to turn on. */
  readonly enable: readonly CpuidFeature[];
  /** Features to turn off. */
  readonly disable: readonly CpuidFeature[];
  /** The vendor, 12 characters. */
  readonly vendor?: string;
  /** The brand string. */
  readonly brand?: string;
  /** The family. */
  readonly family?: number;
  /** The model within the family. */
  readonly model?: number;
  /** The stepping. */
  readonly stepping?: number;
  /** The highest basic leaf. */
  readonly maxLeaf?: number;
}

const texts = { "vendor": "vendor", "model-id": "brand", "brand": "brand" } as const;
const numbers = {
  "family": "family",
  "model": "model",
  "stepping": "stepping",
  "level": "maxLeaf",
} as const;

/**
 * Parses a CPU model: `host` or `baseline`, then, each behind a comma, `+feature`, `-feature`,
 * `feature=on`, `feature=off`, `vendor=`, `model-id=`, `family=`, `model=`, `stepping=` or `level=`
 * (the highest basic leaf). Of two that contradict each other the later holds.
 *
 * @example
 * ```ts
 * import { parseCpuModel } from "@deno-kvm/kvm";
 *
 * const { base, disable } = parseCpuModel("host,-avx512f,x2apic=off");
 * console.log(base, disable); // "host", ["avx512f", "x2apic"]
 * ```
 *
 * @throws {KvmError} ENOENT for an unknown feature, EINVAL for anything else that it does not
 * understand.
 */
export function parseCpuModel(text: string): CpuModel {
  if (typeof text !== "string") {
    const operation = `understand ${show(text)} as a CPU model`;
    throw new KvmError({ operation, errno: Errno.EINVAL, hint: "A model is a string" });
  }
  const [base = "", ...parts] = text.split(",").map((part) => part.trim());
  const refuse = (hint: string) =>
    new KvmError({ operation: `understand the CPU model "${text}"`, errno: Errno.EINVAL, hint });
  if (base !== "host" && base !== "baseline") {
    throw refuse(`It begins with "host" or "baseline", not "${base}"`);
  }
  const wanted = new Map<CpuidFeature, boolean>();
  const properties: Record<string, string | number> = {};
  for (const part of parts) {
    const [, sign, name = "", value] = /^([+-]?)([^=]*)(?:=(.*))?$/.exec(part) ?? [];
    if (sign && value === undefined) wanted.set(cpuidFeature(name).name, sign === "+");
    else if (sign || value === undefined) {
      throw refuse(`"${part}" is neither +feature, -feature nor key=value`);
    } else if (Object.hasOwn(texts, name)) properties[texts[name as keyof typeof texts]] = value;
    else if (Object.hasOwn(numbers, name)) {
      if (value === "" || !Number.isInteger(Number(value))) throw refuse(`${name} is a number`);
      properties[numbers[name as keyof typeof numbers]] = Number(value);
    } else if (value === "on" || value === "off") {
      wanted.set(cpuidFeature(name).name, value === "on");
    } else throw refuse(`A feature is "on" or "off", not "${value}"`);
  }
  const named = (on: boolean) => [...wanted].filter((entry) => entry[1] === on).map(([key]) => key);
  return { base, enable: named(true), disable: named(false), ...properties };
}
