/**
 * What Linux is given beside the zero page, by whichever protocol.
 *
 * @module
 */

import { Errno } from "../../../ffi/mod.ts";
import { FOUR_GIB } from "../../boot/parts/mod.ts";
import { COMMAND_LINE, COMMAND_LINE_SIZE } from "../../firmware/mod.ts";
import type { Range } from "../../memory/mod.ts";
import { PAGE, type Plan } from "../plan.ts";
import { zeroTerminated } from "../text.ts";

/**
 * The command line, an empty one if there is none.
 *
 * @param limit Bytes that the kernel takes, without the zero.
 */
export function putCommandLine(plan: Plan, commandLine = "", limit: number): Range {
  const bytes = zeroTerminated(commandLine);
  const room = Math.min(limit, COMMAND_LINE_SIZE - 1);
  if (bytes.length - 1 > room) {
    const hint = `The command line has ${bytes.length - 1} bytes, and this kernel takes ${room}: ` +
      `shorten it`;
    throw plan.error(Errno.E2BIG, hint);
  }
  return plan.put("command line", COMMAND_LINE, bytes);
}

/**
 * The initial ramdisk, as high as it may be: the kernel then has its place to unpack, whatever that
 * takes.
 *
 * @param to The first address that it may not reach.
 */
export function putInitrd(
  plan: Plan,
  initrd: Uint8Array | undefined,
  to: number = FOUR_GIB,
): Range | undefined {
  if (initrd === undefined) return undefined;
  const want = { what: "initrd", size: initrd.length, align: PAGE };
  const range = plan.claimHighest(want, { to: Math.min(to, FOUR_GIB) });
  plan.fill(range, initrd);
  return range;
}
