/**
 * C structs as data: a table per struct gives its layout, its TypeScript type and its views.
 *
 * @module
 */

export { show } from "./check.ts";
export { type Field, type Layout, layoutOf, offsetOf, sizeOf, type Table } from "./layout.ts";
export { halves } from "./scalars.ts";
export type { FieldInit, FieldOf, ScalarArrays, Scalars, StructInit, StructOf } from "./types.ts";
export {
  assign,
  byteLengthOf,
  bytesOf,
  create,
  from,
  isView,
  plain,
  revoke,
  view,
} from "./view.ts";
