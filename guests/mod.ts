/**
 * Small guests, assembled and ready to run.
 *
 * An image is loaded at guest-physical 0x1000 and entered there, with flat segments, a stack and
 * interrupts disabled. It takes less than 4 KiB; its results begin at 0x2000, and up to 0x7fff all
 * is the guest's own: whoever starts it keeps page tables and descriptors out of there. What each
 * one expects and what its host should see stands at the top of its source, the `.asm` file beside
 * this one.
 *
 * Needs no permission and no NASM.
 *
 * @module
 */

import { type Guests, images } from "./bytes.ts";

export { guestInfo, type Guests } from "./bytes.ts";
export type { GuestInfo, GuestMode } from "./guest.ts";

/**
 * The images by name. Each access gives a fresh copy, which is the caller's to change.
 *
 * @example
 * ```ts
 * import { guests } from "@deno-kvm/kvm";
 *
 * console.log(guests.halt.length); // 13
 * ```
 */
export const guests: Guests = Object.freeze(
  Object.defineProperties(
    {},
    Object.fromEntries(
      Object.entries(images).map(([name, image]) => [
        name,
        { enumerable: true, get: () => Uint8Array.fromBase64(image) },
      ]),
    ),
  ),
) as Guests;
