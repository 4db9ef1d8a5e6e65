/**
 * Names and paths of the ACPI namespace (ACPI 6.5, 20.2.2).
 *
 * @module
 */

import { ascii, concat } from "../../bytes.ts";
import { type Aml, notAml } from "./encode.ts";

const DUAL_NAME_PREFIX = 0x2e;
const MULTI_NAME_PREFIX = 0x2f;
const NULL_NAME = 0x00;

/** Characters of a segment; a shorter one is filled up with underscores. */
const SEGMENT = 4;

/** A segment: up to 4 of A to Z, 0 to 9 and underscore, no digit first. */
const segmentPattern = /^[A-Z_][A-Z0-9_]{0,3}$/;

/**
 * A NameString: `"_CRS"`, `"\\_SB.COM1"`, `"^^PCI0"`, or `"\\"` for the root.
 *
 * @throws {KvmError} EINVAL if it is none.
 */
export function nameString(path: string): Aml {
  const [, prefix, rest] = /^(\\|\^*)(.*)$/s.exec(path) ?? ["", "", path];
  if (rest === "") {
    // A bare "^" names a scope, too; an empty string names nothing.
    if (prefix === "") throw notAml(`"${path}"`, "A name has a character at least");
    return concat(ascii(prefix!), [NULL_NAME]);
  }
  const segments = rest!.split(".");
  for (const segment of segments) checkSegment(path, segment);
  if (segments.length > 255) throw notAml(`"${path}"`, "A path has up to 255 names");
  const count = segments.length === 1
    ? []
    : segments.length === 2
    ? [DUAL_NAME_PREFIX]
    : [MULTI_NAME_PREFIX, segments.length];
  return concat(ascii(prefix!), count, ...segments.map((name) => ascii(name.padEnd(SEGMENT, "_"))));
}

/** One name, as objects of a scope are declared by: no path. */
export function nameSegment(name: string): Aml {
  checkSegment(name, name);
  return nameString(name);
}

/**
 * The name of one of many objects: `"C00A"` for the tenth.
 *
 * @param prefix What they have in common.
 * @param index From 0; it is written in hexadecimal.
 * @throws {KvmError} EINVAL if the prefix leaves too few digits for it.
 */
export function numberedName(prefix: string, index: number): string {
  const name = prefix +
    index.toString(16).toUpperCase().padStart(SEGMENT - prefix.length, "0");
  checkSegment(name, name);
  return name;
}

function checkSegment(path: string, segment: string): void {
  if (segmentPattern.test(segment)) return;
  const hint = "A name has up to four of A to Z, 0 to 9 and _, and no digit first; " +
    "a path has names and dots, and a \\ or ^ in front of all";
  throw notAml(JSON.stringify(path), hint);
}
