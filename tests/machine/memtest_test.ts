/**
 * A foreign image that is no Linux: Memtest86+, which boots by Linux's protocol. It comes from
 * KVM_TEST_GUESTS: docs/nested.md.
 */

import { assertMatch } from "@std/assert";
import { needing } from "../support/host.ts";
import { interpretsLevel0 } from "../support/native.ts";
import { pc } from "../support/pc.ts";

const folder = Deno.env.get("KVM_TEST_GUESTS");
const canBoot = folder !== undefined && !interpretsLevel0();
const needed = "the guests of KVM_TEST_GUESTS, and a KVM that runs any code";

Deno.test(needing(needed, canBoot, "Memtest86+ boots to its running tests"), async () => {
  await using guest = await pc({
    kernel: `${folder}/memtest86+x64.bin`,
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
