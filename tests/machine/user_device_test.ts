import { assertEquals, assertRejects } from "@std/assert";
import type { Device } from "../../src/machine/mod.ts";
import { assertCode } from "../support/codes.ts";
import { MpState } from "../../ffi/uapi/mod.ts";
import { debugExit, inb, outb, spin } from "../support/instructions.ts";
import { flat, pc } from "../support/pc.ts";

const fails = async () => {
  await Promise.resolve();
  throw new RangeError("later");
};
/** What `await` takes for a promise, and is none of the language's. */
const failsAlike = () => ({
  then: (_resolve: unknown, reject: (error: unknown) => void) => reject(new RangeError("later")),
});
const harmless: Device = { read: () => 0, write() {} };

const cases: [name: string, code: number[], device: Device][] = [
  ["write", outb(0x500, 1), { ...harmless, write: fails }],
  // The compiler refuses it; a script does not.
  ["read", inb(0x500), { ...harmless, read: fails as unknown as () => number }],
  ["reset", outb(0xcf9, 6), { ...harmless, reset: fails }],
  ["write, with a thenable,", outb(0x500, 1), { ...harmless, write: failsAlike }],
  ["reset, with a thenable,", outb(0xcf9, 6), { ...harmless, reset: failsAlike }],
];
for (const [name, code, device] of cases) {
  Deno.test(`what a device's ${name} rejects with ends the machine, and no more`, async () => {
    await using guest = await pc(flat(code, spin), async (machine) => {
      machine.mapPorts(0x500, 1, device);
      await machine.resume();
    });
    const error = await assertRejects(() => guest.machine.finished, Error);
    // A value that is none is found first, and what it was about to be is no surprise any more.
    if (name !== "read") assertEquals(`${error}`, "RangeError: later");
  });
}

Deno.test("what the boot timer's listener rejects with ends the machine", async () => {
  // mov edi, 0xd0000000; mov byte [rdi], 7
  const code = [0xbf, 0, 0, 0, 0xd0, 0xc6, 0x07, 7];
  await using guest = await pc({ ...flat(code, spin), onBootTimer: fails });
  await assertRejects(() => guest.machine.finished, RangeError, "later");
});

Deno.test("a device may return any object: what is looked into is what await looks into", async () => {
  const thrown = () =>
    Object.defineProperty({}, "then", {
      get() {
        throw new RangeError("then");
      },
    });
  let writes = 0;
  const write = () => [{}, () => {}, Symbol("x"), 5n, null, { then: 5 }, thrown()][writes++];
  const code = Array.from({ length: 7 }, () => outb(0x500, 1)).flat();
  await using guest = await pc(flat(code, spin), async (machine) => {
    machine.mapPorts(0x500, 1, { ...harmless, write });
    await machine.resume();
  });
  await assertRejects(() => guest.machine.finished, RangeError, "then");
  assertEquals(writes, 7);
});

Deno.test("a device at two places is reset once", async () => {
  let resets = 0;
  const device = { ...harmless, reset: () => void resets++ };
  await using guest = await pc(flat(spin), (machine) => {
    machine.mapPorts(0x500, 1, device);
    machine.mapMmio(0xd100_0000, 4, device);
  });
  await guest.machine.reset();
  assertEquals(resets, 1);
});

Deno.test("a device may look at its vCPU, and not run it: the exit would be missing", async () => {
  const codes: string[] = [];
  await using guest = await pc(flat(outb(0x500, 1), debugExit(3)), async (machine) => {
    const [vcpu] = machine.vcpus;
    const write = () => {
      codes.push(assertCode("EBUSY", () => vcpu!.run({ timeout: 100 })).code);
      vcpu!.getRegs();
    };
    machine.mapPorts(0x500, 1, { read: () => 0, write });
    await machine.resume();
  });
  assertEquals(await guest.machine.finished, { reason: "debugExit", code: 3 });
  assertEquals(codes, ["EBUSY"]);
});

Deno.test("a device that no vCPU ever leaves alone keeps nobody from timers and signals", async () => {
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  const aborter = new AbortController();
  let reads = 0;
  let due = Infinity;
  const read = () => {
    if (++reads === 8) {
      due = performance.now() + 100;
      setTimeout(() => aborter.abort(new Error("enough")), 100);
    }
    Atomics.wait(sleeper, 0, 0, 2);
    // No timer would end this test.
    if (performance.now() - due > 10_000) throw new Error("nothing else had its turn");
    return 0;
  };
  // in al, dx; jmp back
  const options = { ...flat([...inb(0x500), 0xeb, 0xfd]), cpus: 4, signal: aborter.signal };
  await using guest = await pc(options, async (machine) => {
    const [first, ...others] = machine.vcpus;
    for (const other of others) {
      other.setMpState(MpState.RUNNABLE);
      other.setSregs(first!.getSregs());
      other.setRegs(first!.getRegs());
    }
    machine.mapPorts(0x500, 1, { ...harmless, read });
    await machine.resume();
  });
  await assertRejects(() => guest.machine.finished, Error, "enough");
});
