/**
 * A foreign image that is no Linux: Memtest86+, which boots by Linux's protocol.
 */

import { assertMatch } from "@std/assert";
import { debianGuests, needsStockKernel } from "../support/debian.ts";
import { pc } from "../support/pc.ts";

Deno.test(needsStockKernel("Memtest86+ boots to its running tests"), async () => {
  await using guest = await pc({
    kernel: `${debianGuests}/memtest86+x64.bin`,
    commandLine: "console=ttyS0,115200 nosmp",
    memory: "64M",
    signal: AbortSignal.timeout(180_000),
  });
  await guest.until("Memtest86+");
  await guest.until("Status: Testing");
  // A test's progress, or that of all of them: it has tested memory and goes on.
  assertMatch(await guest.until(/\d+% #+/), /[1-9]\d*% #/);
  await guest.machine.stop();
});
