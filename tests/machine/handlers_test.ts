import { assertEquals } from "@std/assert";
import type { InternalErrorAnswer, InternalErrorEvent } from "../../src/machine/mod.ts";
import { debugExit, print } from "../support/instructions.ts";
import { flat, pc } from "../support/pc.ts";

const MMIO = 0xd100_0000;
const ENTRY = 0x10_0000;

/** A guest that jumps to where there is no memory: no KVM fetches an instruction from there. */
const astray = [0xbf, 0, 0, 0, MMIO >>> 24, 0xff, 0xe7];

/** A machine whose handler waits for an answer, and says when it is asked. */
async function start(code: readonly number[]) {
  const asked: PromiseWithResolvers<InternalErrorEvent>[] = [];
  const answers: PromiseWithResolvers<InternalErrorAnswer>[] = [];
  for (let at = 0; at < 2; at++) {
    asked.push(Promise.withResolvers());
    answers.push(Promise.withResolvers());
  }
  let at = 0;
  const guest = await pc({
    ...flat(code),
    onInternalError(event) {
      asked[at]!.resolve(event);
      return answers[at++]!.promise;
    },
  });
  return { guest, asked, answers };
}

Deno.test("a handler may take its time over pause and resume, and set registers at last", async () => {
  const there = print("!");
  const code = [...astray, ...there, ...debugExit(5)];
  const { guest, asked, answers } = await start(code);
  await using machine = guest.machine;
  const { vcpu } = await asked[0]!.promise;
  await machine.pause();
  assertEquals(vcpu.getRegs().rip, BigInt(MMIO));
  await machine.resume();
  vcpu.setRegs({ rip: BigInt(ENTRY + astray.length) });
  answers[0]!.resolve("resume");
  assertEquals(await machine.finished, { reason: "debugExit", code: 5 });
  assertEquals(guest.text, "!");
});

for (const late of ["resume", "stop"] as const) {
  Deno.test(`a reset does not wait for a handler, whose late "${late}" is forgotten`, async () => {
    const { guest, asked, answers } = await start([...print("."), ...astray]);
    await using machine = guest.machine;
    await asked[0]!.promise;
    await machine.reset();
    assertEquals(machine.state, "running");
    const { vcpu } = await asked[1]!.promise;
    await guest.until("..");
    answers[0]!.resolve(late);
    await answers[0]!.promise;
    // It is the second exit's turn still.
    assertEquals([machine.state, vcpu.getRegs().rip], ["running", BigInt(MMIO)]);
    await machine.stop();
    assertEquals(await machine.finished, { reason: "stopped" });
  });
}

Deno.test("a handler may reset the machine, and is not waited for", async () => {
  let calls = 0;
  await using guest = await pc({
    ...flat(print("."), astray),
    async onInternalError() {
      if (calls++ === 0) await guest.machine.reset();
      else void guest.machine.stop();
      return "resume" as const;
    },
  });
  assertEquals(await guest.machine.finished, { reason: "stopped" });
  assertEquals(guest.text, "..");
});
