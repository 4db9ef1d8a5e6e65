/**
 * ELF files: what they say, where they go, and those that are entered at their own entry.
 *
 * @module
 */

export { planElf } from "./load.ts";
export { pvhEntry } from "./notes.ts";
export { type ElfImage, isElf, parseElf } from "./parse.ts";
export { entryOf, type PlacedElf, placeElf } from "./place.ts";
