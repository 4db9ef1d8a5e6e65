/**
 * What is known of a guest beside its bytes.
 *
 * @module
 */

/**
 * The mode in which a guest is entered: 16-bit real mode, flat 32-bit protected mode, the same with
 * paging, or 64-bit long mode (SDM volume 3, "Modes of Operation").
 */
export type GuestMode = "real" | "protected" | "paged" | "long";

/** What is known of a guest beside its bytes. */
export interface GuestInfo {
  /** The mode in which it is entered. */
  readonly mode: GuestMode;
  /** What it does, one sentence. */
  readonly description: string;
}
