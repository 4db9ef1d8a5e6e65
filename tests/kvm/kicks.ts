/**
 * Kicks a vCPU of another thread out of its guest, again and again, and counts.
 *
 *     deno task kicks --help
 *
 * @module
 */

import { parseArgs } from "node:util";
import { kick, type KickHandle } from "../../src/kvm/mod.ts";

/** The words that both threads see. */
export const Word = { SEEN: 0, STOP: 1, FLAGS_LEFT: 2 } as const;

/** What the thread is to run. */
export interface KickRequest {
  /** `spin` never exits by itself, `ports` does so all the time. */
  readonly guest: "spin" | "ports";
  /** The {@linkcode Word}s. */
  readonly shared: SharedArrayBuffer;
}

/** What came of it. */
export interface KickResult {
  /** Runs that a kick ended. */
  readonly seen: number;
  /** Kicks that ended no run within a second. */
  readonly lost: number;
  /** Runs that left `immediate_exit` set. */
  readonly flagsLeft: number;
  /** Microseconds from a kick until it was seen, the median. */
  readonly microseconds: number;
  /** What a kick says after the vCPU's end. */
  readonly afterClose: boolean;
}

/** Kicks so many times, each after the last one was seen. */
export async function kickRounds(
  guest: KickRequest["guest"],
  kicks: number,
  progress: (done: number) => void = () => {},
): Promise<KickResult> {
  const shared = new SharedArrayBuffer(12);
  const words = new Int32Array(shared);
  const worker = new Worker(import.meta.resolve("./kick_worker.ts"), { type: "module" });
  try {
    worker.postMessage({ guest, shared } satisfies KickRequest);
    const handle = await message(worker) as KickHandle;
    const times = new Float64Array(kicks);
    let lost = 0;
    for (let i = 0; i < kicks; i++) {
      const before = Atomics.load(words, Word.SEEN);
      const start = performance.now();
      kick(handle);
      if (Atomics.wait(words, Word.SEEN, before, 1000) === "timed-out") lost++;
      times[i] = performance.now() - start;
      if (i % 1000 === 0) progress(i);
    }
    const seen = Atomics.load(words, Word.SEEN);
    Atomics.store(words, Word.STOP, 1);
    kick(handle);
    await message(worker);
    const microseconds = 1000 * (times.sort()[kicks >> 1] ?? 0);
    const flagsLeft = Atomics.load(words, Word.FLAGS_LEFT);
    return { seen, lost, flagsLeft, microseconds, afterClose: kick(handle) };
  } finally {
    worker.terminate();
  }
}

function message(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
  });
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      kicks: { type: "string", default: "50000" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const kicks = Number(values.kicks);
  if (values.help || !Number.isSafeInteger(kicks) || kicks < 1) {
    console.log(`Kicks a vCPU out of a spinning guest, and out of one that exits all the time.

Usage: deno task kicks [--kicks N]

  --kicks N   kicks for each of the two guests (50000)

Exit status: 0 if none was lost and no flag was left behind, 1 otherwise, 2 for a bad option.`);
    Deno.exit(values.help ? 0 : 2);
  }
  let failed = false;
  for (const guest of ["spin", "ports"] as const) {
    const show = (done: number) => Deno.stderr.writeSync(encode(`\r${guest}: ${done} of ${kicks}`));
    const encode = (text: string) => new TextEncoder().encode(text);
    const { seen, lost, flagsLeft, microseconds } = await kickRounds(guest, kicks, show);
    Deno.stderr.writeSync(encode("\r\x1b[K"));
    const time = microseconds.toFixed(0);
    console.log(`${guest}: ${seen} seen, ${lost} lost, ${flagsLeft} flags left, median ${time} µs`);
    failed ||= seen !== kicks || lost > 0 || flagsLeft > 0;
  }
  if (failed) Deno.exit(1);
}
