/**
 * A foreign image that is no Linux: Memtest86+, which boots by Linux's protocol.
 */

import { assert, assertMatch } from "@std/assert";
import type { Machine } from "../../src/machine/mod.ts";
import { debianGuests, needsStockKernel } from "../support/debian.ts";
import { pc } from "../support/pc.ts";

/** It on three processors, shown until it has tested memory. */
async function tested(prepare: (machine: Machine) => void): Promise<string> {
  await using guest = await pc({
    kernel: `${debianGuests}/memtest86+x64.bin`,
    commandLine: "console=ttyS0,115200",
    cpus: 3,
    memory: "64M",
    signal: AbortSignal.timeout(180_000),
  }, (machine) => {
    prepare(machine);
    return machine.resume();
  });
  await guest.until("Memtest86+");
  await guest.until("Status: Testing");
  // A test's progress, or that of all of them: it has tested memory and goes on.
  assertMatch(await guest.until(/\d+% #+/), /[1-9]\d*% #/);
  await guest.machine.stop();
  return guest.text;
}

/** Where "OSPM" looks for a signature, below 1 MiB (ACPI, "Finding the RSDP on IA-PC Systems"). */
function withoutRsdp({ memory }: Machine): void {
  const [start, end] = [0xe_0000, 0x10_0000];
  const text = new TextDecoder("latin1").decode(memory.readBytes(start, end - start));
  const found = text.indexOf("RSD PTR ");
  assert(found >= 0);
  memory.writeBytes(start + found, new Uint8Array(8));
}

Deno.test(
  needsStockKernel("Memtest86+ boots to its running tests, on every processor"),
  async () => {
    assertMatch(await tested(() => {}), /SMP: 3T/);
  },
);

Deno.test(
  needsStockKernel("without ACPI, Memtest86+ finds and starts the processors of the MP table"),
  async () => {
    assertMatch(await tested(withoutRsdp), /SMP: 3T/);
  },
);
