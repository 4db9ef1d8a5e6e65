/**
 * Multiboot, version 1.
 *
 * @module
 */

export { findHeader, type FoundHeader } from "./header.ts";
export { planMultiboot } from "./load.ts";
