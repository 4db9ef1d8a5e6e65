/**
 * What a machine adds to an exit: a device on its bus, and a console that somebody reads.
 *
 * @module
 */

import { createBoard } from "../src/machine/board.ts";
import { Machine } from "../src/machine/mod.ts";
import { SharedState } from "../src/machine/shared/mod.ts";
import { handleExit } from "../src/machine/worker/exits.ts";
import type { Baseline } from "./c.ts";
import { RecordedPage } from "./page.ts";
import { type Benchmark, timed } from "./run.ts";

const TIMES = 50_000;
const BYTES = 2_000;
const COM1 = 0x3f8;

/** `mov dx, 0x3f8; again: out dx, al; jmp again`, in 16 bits */
const printing = Uint8Array.of(0xba, 0xf8, 0x03, 0xee, 0xeb, 0xfd);

/** A port's access from the run page to the device, and a byte's way to the console's reader. */
export function machine(c: Baseline): Benchmark[] {
  return [
    {
      name: "machine, OUT dispatched to the serial port",
      unit: "ns",
      prepare: () => ({ c: () => c.turn("dispatch", TIMES), kvm: timed(dispatch(), TIMES) }),
    },
    {
      name: "machine, serial console for each byte",
      unit: "ns",
      rounds: 2,
      prepare(stack) {
        const print = consoleTurn(stack);
        return { c: () => c.turn("exits", BYTES, printing), kvm: print };
      },
    },
  ];
}

/** The guest prints: what its vCPU's thread does with the exit. */
function dispatch(): (times: number) => number {
  const page = new RecordedPage();
  const shared = new SharedState(1);
  // Nobody empties the ring here; the bell would only wake main.
  shared.quiet = true;
  const board = createBoard(shared, { serialPorts: 1 }, { set() {} });
  const { output } = board.serial[0]!;
  return (times) => {
    page.startIo();
    for (let i = 0; i < times; i++) {
      page.io(1, COM1, 1);
      handleExit(page.decoder.decode(), shared, board, 0);
      shared.awaitRoom(0);
      if ((i & 0xfff) === 0) output.clear();
    }
    return output.length;
  };
}

/** A machine whose guest prints while it is this one's turn: nanoseconds from byte to byte. */
function consoleTurn(stack: DisposableStack): () => Promise<number> {
  let received = 0;
  let onByte = () => {};
  const made = Machine.create({
    kernel: printing,
    protocol: "flat16",
    memory: "2M",
    console: {
      output(bytes) {
        received += bytes.length;
        onByte();
      },
    },
  });
  stack.defer(() => void made.then((machine) => machine[Symbol.asyncDispose]()));
  return async () => {
    const machine = await made;
    const until = (count: number) =>
      new Promise<void>((resolve) => onByte = () => received >= count ? resolve() : undefined);
    await machine.resume();
    await until(received + 1);
    const [start, first] = [performance.now(), received];
    await until(first + BYTES);
    const time = (performance.now() - start) * 1e6 / (received - first);
    await machine.pause();
    return time;
  };
}
