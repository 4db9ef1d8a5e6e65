/**
 * Encodes AML, the byte code that describes a machine's devices (ACPI 6.5, 20). Each function makes
 * the bytes of one term; terms are put together by nesting the calls, as they nest in ASL.
 *
 * @module
 */

export { buffer, eisaId, integer, packageOf, text } from "./data.ts";
export { type Aml, pkgLength } from "./encode.ts";
export { nameString, numberedName } from "./names.ts";
export {
  arg,
  device,
  local,
  method,
  type MethodOptions,
  name,
  returnValue,
  scope,
  store,
} from "./objects.ts";
export {
  interrupt,
  type InterruptOptions,
  io,
  irqNoFlags,
  memory32Fixed,
  type Resource,
  resourceTemplate,
} from "./resources.ts";
