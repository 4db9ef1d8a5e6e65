/**
 * What the starts are made of, for storeys above that have starts of their own: boot protocols say
 * themselves where everything lies and what the registers hold.
 *
 * @module
 */

export { enter, type EntryState, leave } from "../enter.ts";
export {
  encodeTable,
  FOUR_GIB,
  NO_TSS_LIMIT,
  PROTECTED_CR0,
  PROTECTED_CR4,
  segments,
} from "../flat.ts";
export { endOf, roundUp } from "../place.ts";
