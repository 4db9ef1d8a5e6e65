/**
 * The guests that Debian's packages hold. They come from KVM_TEST_GUESTS: docs/nested.md.
 *
 * @module
 */

import { needing, type Needs } from "./host.ts";
import { interpretsLevel0 } from "./native.ts";
import { isEmulated } from "./rounds.ts";
import { extractVmlinux } from "./vmlinux.ts";

/** Where they are; undefined if they are not. */
export const debianGuests: string | undefined = Deno.env.get("KVM_TEST_GUESTS");

/** For a test that looks at a guest's files: it says the same whatever the KVM, see `unemulated`. */
export function needsGuests(name: string): Needs {
  const present = debianGuests !== undefined && !isEmulated();
  return needing(
    "the guests of KVM_TEST_GUESTS, and a processor that isn't emulated",
    present,
    name,
  );
}

/** For a test that boots one. */
export function needsStockKernel(name: string): Needs {
  const what = "the guests of KVM_TEST_GUESTS, and a KVM that runs a stock kernel";
  return needing(what, debianGuests !== undefined && !interpretsLevel0(), name);
}

/** The kernel's bzImage. */
export function vmlinuz(): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(`${debianGuests}/vmlinuz`);
}

let unpacked: Promise<Uint8Array<ArrayBuffer>> | undefined;

/** The ELF image in it, which is nobody's to change: to unpack it takes seconds. */
export function vmlinux(): Promise<Uint8Array<ArrayBuffer>> {
  return unpacked ??= extractVmlinux(vmlinuz());
}
