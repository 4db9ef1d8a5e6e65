/**
 * What makes up the namespace, and what a method does (ACPI 6.5, 20.2.5).
 *
 * @module
 */

import { concat } from "../../bytes.ts";
import { type Aml, framed, notAml } from "./encode.ts";
import { nameSegment, nameString } from "./names.ts";

const NAME_OP = 0x08;
const SCOPE_OP = 0x10;
const METHOD_OP = 0x14;
const LOCAL0_OP = 0x60;
const ARG0_OP = 0x68;
const STORE_OP = 0x70;
const RETURN_OP = 0xa4;
const DEVICE_OP = [0x5b, 0x82];

/** A method's flag that lets no second thread in. */
const SERIALIZED = 1 << 3;

/** A name for data (20.2.5.1). */
export function name(objectName: string, value: Aml): Aml {
  return concat([NAME_OP], nameSegment(objectName), value);
}

/** Terms of a scope that exists already: `"\\_SB"` (20.2.5.1). */
export function scope(path: string, ...terms: readonly Aml[]): Aml {
  return framed([SCOPE_OP], nameString(path), ...terms);
}

/** A device and its objects (20.2.5.2). */
export function device(deviceName: string, ...terms: readonly Aml[]): Aml {
  return framed(DEVICE_OP, nameSegment(deviceName), ...terms);
}

/** How a method is called. */
export interface MethodOptions {
  /** How many arguments it takes, up to 7; none by default. */
  readonly args?: number | undefined;
  /** Whether a second caller waits for the first one; a method that makes objects needs it. */
  readonly serialized?: boolean | undefined;
}

/**
 * A method (20.2.5.2).
 *
 * @throws {KvmError} EINVAL for more than 7 arguments.
 */
export function method(
  methodName: string,
  { args = 0, serialized = false }: MethodOptions,
  ...terms: readonly Aml[]
): Aml {
  const flags = numbered(0, args, 7, "A method has up to 7 arguments") |
    (serialized ? SERIALIZED : 0);
  return framed([METHOD_OP], nameSegment(methodName), [flags], ...terms);
}

/** Ends a method with a value (20.2.5.3). */
export function returnValue(value: Aml): Aml {
  return concat([RETURN_OP], value);
}

/** Copies a value into a local, an argument, or a named object (20.2.5.4). */
export function store(value: Aml, target: Aml): Aml {
  return concat([STORE_OP], value, target);
}

/**
 * A method's local variable, 0 to 7 (20.2.6.2).
 *
 * @throws {KvmError} EINVAL for another one.
 */
export function local(index: number): Aml {
  return Uint8Array.of(numbered(LOCAL0_OP, index, 7, "A method's locals are 0 to 7"));
}

/**
 * A method's argument, 0 to 6 (20.2.6.1).
 *
 * @throws {KvmError} EINVAL for another one.
 */
export function arg(index: number): Aml {
  return Uint8Array.of(numbered(ARG0_OP, index, 6, "A method's arguments are 0 to 6"));
}

function numbered(first: number, index: number, last: number, hint: string): number {
  if (Number.isInteger(index) && index >= 0 && index <= last) return first + index;
  throw notAml(String(index), hint);
}
