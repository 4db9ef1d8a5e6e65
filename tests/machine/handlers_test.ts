import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  GuestCrash,
  type InternalErrorAnswer,
  type InternalErrorEvent,
  type TripleFaultAnswer,
  type TripleFaultEvent,
} from "../../src/machine/mod.ts";
import { debugExit, outb, print } from "../support/instructions.ts";
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

/** A guest that tells what is in a cell, and then has a fault that it has no handlers for. */
const CELL = 0x1000;
// mov edi, CELL; mov al, [rdi]; mov dx, 0x3f8; out dx, al; lidt [rip + 2]; ud2; dw 0; dq 0
const faulty = [
  ...[0xbf, 0, CELL >> 8, 0, 0, 0x8a, 0x07, ...outb(0x3f8, 0).slice(0, 4), 0xee],
  ...[0x0f, 0x01, 0x1d, 2, 0, 0, 0, 0x0f, 0x0b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
];

for (const later of [false, true]) {
  const how = later ? "later" : "at once";
  Deno.test(`who looks at a triple fault may say ${how} that it is a reset, and then no more`, async () => {
    const seen: TripleFaultEvent[] = [];
    const answer = (event: TripleFaultEvent): TripleFaultAnswer => {
      seen.push(event);
      const value = 0x61 + seen.length;
      event.memory.writeU8(CELL, value);
      assert(event.vcpu.getRegs().rip > 0n);
      return seen.length < 4 ? "reset" : "error";
    };
    const onTripleFault = later
      ? (event: TripleFaultEvent) => Promise.resolve(event).then(answer)
      : answer;
    await using guest = await pc({ ...flat(faulty), onTripleFault }, async (machine) => {
      machine.memory.writeU8(CELL, 0x61);
      await machine.resume();
    });
    const crash = await assertRejects(() => guest.machine.finished, GuestCrash);
    assertEquals([crash.exit.reason, seen.length, guest.text], ["shutdown", 4, "abcd"]);
    assert(seen.every(({ vcpu }) => vcpu === guest.machine.vcpus[0]));
  });
}

Deno.test("what is said of a triple fault after another reset is forgotten", async () => {
  const asked = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const answers = [0, 1].map(() => Promise.withResolvers<TripleFaultAnswer>());
  let at = 0;
  const onTripleFault = () => {
    asked[at]!.resolve();
    return answers[at++]!.promise;
  };
  await using guest = await pc({ ...flat(print("."), faulty), onTripleFault });
  await asked[0]!.promise;
  await guest.machine.reset();
  await asked[1]!.promise;
  answers[0]!.resolve("reset");
  await answers[0]!.promise;
  assertEquals(guest.machine.state, "running");
  answers[1]!.resolve("error");
  await assertRejects(() => guest.machine.finished, GuestCrash);
  assertEquals([at, guest.text.replaceAll("\0", "")], [2, ".."]);
});

Deno.test("what the handler of a triple fault throws ends the machine", async () => {
  const onTripleFault = () => {
    throw new RangeError("no answer");
  };
  await using guest = await pc({ ...flat(faulty), onTripleFault });
  await assertRejects(() => guest.machine.finished, RangeError, "no answer");
});
