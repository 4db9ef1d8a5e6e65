/**
 * What the threads of a machine share, and where it lies.
 *
 * ```text
 * words     the lock, the doorbell, the machine's end, what main has claimed
 * deadline  when main comes back to the devices
 * vCPUs     order, status and kick handle of each
 * ports     a bit for each port that main answers
 * ranges    the MMIO ranges that main answers
 * rings     bytes of consoles, to and from the guest
 * states    the devices' own
 * ```
 *
 * @module
 */

import { Errno, KvmError, sizeOf, type StructOf, type Table, view } from "../../../ffi/mod.ts";
import { Lock } from "./lock.ts";
import { ByteRing } from "./ring.ts";

/** Places of the words that the whole machine has in common. */
export const Word = {
  /** The lock of all devices. */
  LOCK: 0,
  /** What main should look at: bits of {@linkcode Bell}. */
  BELL: 1,
  /** 1 while main sleeps and wants to be woken. */
  ASLEEP: 2,
  /** 1 while main collects output, and wants to hear of none. */
  QUIET: 3,
  /** Changes whenever a vCPU that waits for room in a ring should look again. */
  ROOM: 4,
  /** Why the machine is to end: a value of {@linkcode Ending}; the first one counts. */
  ENDING: 5,
  /** The guest's exit code, of {@linkcode Ending.DEBUG_EXIT}. */
  CODE: 6,
  /** How many MMIO ranges main has claimed. */
  RANGES: 7,
} as const;

/** Why main is woken. */
export const Bell = {
  /** A vCPU changed its status, or has an exit for main. */
  VCPU: 1,
  /** There are bytes in an output ring. */
  OUTPUT: 2,
  /** The guest asked for the machine's end. */
  ENDING: 4,
  /** A device's deadline has moved. */
  TIMER: 8,
} as const;

/** What the guest may have asked for. */
export const Ending = {
  /** Nothing. */
  NONE: 0,
  /** ACPI's sleep state S5. */
  POWER_OFF: 1,
  /** One of the many ways to reset a PC. */
  RESET: 2,
  /** A write to the debug exit port. */
  DEBUG_EXIT: 3,
} as const;

/** What main wants of a vCPU's thread. */
export const Command = { PAUSE: 0, RUN: 1, STOP: 2 } as const;

/** What a vCPU's thread is doing. */
export const Status = {
  /** Not begun. */
  STARTING: 0,
  /** In the guest, or on the way. */
  RUNNING: 1,
  /** It waits for another command; its last exit is completed. */
  PAUSED: 2,
  /** It waits for main, who has its exit to handle. */
  ASKING: 3,
  /** It has ended. */
  STOPPED: 4,
} as const;

// Words of a vCPU; the handle takes two, as a float64.
const ORDER = 0;
const STATUS = 1;
const VCPU_WORDS = 4;
/** The bits of an order that are the command. */
const COMMAND_MASK = 3;

const WORDS = 16;
const DEADLINE_WORDS = 2;
const PORTS = 65_536;
const PORT_BITS_BYTES = PORTS / 8;
/** More than any machine here has. */
const MAX_RANGES = 64;
const RING_BYTES = 64 << 10;
/** What an exit of any vCPU adds finds room in the other half. */
const ENOUGH = RING_BYTES / 2;
const RINGS = 10;
const STATES_BYTES = 64 << 10;

/** A view of the shared memory, in each thread its own. */
export class SharedState {
  /** The memory itself. */
  readonly buffer: SharedArrayBuffer;
  /** How many vCPUs there are. */
  readonly cpus: number;
  /** Whoever touches a device's state holds it. */
  readonly lock: Lock;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #deadline: Float64Array<SharedArrayBuffer>;
  readonly #vcpus: Int32Array<SharedArrayBuffer>;
  readonly #handles: Float64Array<SharedArrayBuffer>;
  readonly #ports: Uint8Array<SharedArrayBuffer>;
  readonly #ranges: Float64Array<SharedArrayBuffer>;
  readonly #ringsAt: number;
  #rings = 0;
  #statesAt: number;
  /** The ring that this thread has made so full that it has to wait. */
  #full: ByteRing | undefined;

  /** Shows what another thread has made, or makes it. */
  constructor(cpus: number, buffer?: SharedArrayBuffer) {
    const vcpusAt = (WORDS + DEADLINE_WORDS) * 4;
    const portsAt = vcpusAt + cpus * VCPU_WORDS * 4;
    const rangesAt = portsAt + PORT_BITS_BYTES;
    this.#ringsAt = rangesAt + MAX_RANGES * 2 * 8;
    this.#statesAt = this.#ringsAt + RINGS * ByteRing.footprint(RING_BYTES);
    this.buffer = buffer ?? new SharedArrayBuffer(this.#statesAt + STATES_BYTES);
    this.cpus = cpus;
    this.#words = new Int32Array(this.buffer, 0, WORDS);
    this.#deadline = new Float64Array(this.buffer, WORDS * 4, 1);
    this.#vcpus = new Int32Array(this.buffer, vcpusAt, cpus * VCPU_WORDS);
    this.#handles = new Float64Array(this.buffer, vcpusAt, cpus * VCPU_WORDS / 2);
    this.#ports = new Uint8Array(this.buffer, portsAt, PORT_BITS_BYTES);
    this.#ranges = new Float64Array(this.buffer, rangesAt, MAX_RANGES * 2);
    this.lock = new Lock(this.#words, Word.LOCK);
  }

  /** The next device's state; threads that ask in the same order get the same ones. */
  state<const T extends Table>(table: T): StructOf<T> {
    const at = this.#statesAt;
    this.#statesAt = Math.ceil((at + sizeOf(table)) / 8) * 8;
    if (this.#statesAt > this.buffer.byteLength) {
      const hint = `The devices' states take more than ${STATES_BYTES} bytes`;
      throw new KvmError({ operation: "add a device", errno: Errno.ENOSPC, hint });
    }
    // A view does not care which of the two kinds of buffer it lies in.
    return view(table, this.buffer as unknown as ArrayBuffer, at);
  }

  /** The next ring, likewise. */
  ring(onPut?: (ring: ByteRing) => void): ByteRing {
    const at = this.#ringsAt + this.#rings++ * ByteRing.footprint(RING_BYTES);
    if (this.#rings > RINGS) {
      const hint = `A machine has ${RINGS} of them at most`;
      throw new KvmError({ operation: "add a byte stream", errno: Errno.ENOSPC, hint });
    }
    const ring: ByteRing = new ByteRing(
      this.buffer,
      at,
      RING_BYTES,
      onPut === undefined ? undefined : () => onPut(ring),
    );
    return ring;
  }

  /** Wakes main for something. */
  ringBell(what: number): void {
    Atomics.or(this.#words, Word.BELL, what);
    if (Atomics.exchange(this.#words, Word.ASLEEP, 0) === 1) {
      Atomics.notify(this.#words, Word.ASLEEP);
    }
  }

  /** Main's side: takes what it was woken for, or 0. */
  takeBell(): number {
    return Atomics.exchange(this.#words, Word.BELL, 0);
  }

  /**
   * Main's side: resolves when there is something in the bell, at once if there is already; whether
   * the event loop has had its turn meanwhile.
   */
  async bell(): Promise<boolean> {
    for (let waited = false;;) {
      if (Atomics.load(this.#words, Word.BELL) !== 0) return waited;
      Atomics.store(this.#words, Word.ASLEEP, 1);
      // Whoever rang before this word was set has not seen it.
      if (Atomics.load(this.#words, Word.BELL) !== 0) continue;
      const wait = Atomics.waitAsync(this.#words, Word.ASLEEP, 1);
      if (!wait.async) continue;
      await wait.value;
      waited = true;
    }
  }

  /** Main's side: whether output is collected, and no news. */
  set quiet(quiet: boolean) {
    Atomics.store(this.#words, Word.QUIET, quiet ? 1 : 0);
  }

  /** A vCPU's side: there is output in a ring. */
  noteOutput(ring: ByteRing): void {
    if (ring.length > ENOUGH) {
      this.#full = ring;
      this.ringBell(Bell.OUTPUT);
    } else if (Atomics.load(this.#words, Word.QUIET) === 0) this.ringBell(Bell.OUTPUT);
  }

  /**
   * A vCPU's side: waits while the ring that it has written to is too full. False if main wants
   * something else first: the vCPU asks again before it runs.
   */
  awaitRoom(id: number): boolean {
    if (this.#full === undefined) return true;
    for (;;) {
      // Whatever changes from here on changes this word, too, and ends the wait.
      const seen = Atomics.load(this.#words, Word.ROOM);
      if (this.#full.length <= ENOUGH) break;
      if (this.command(id) !== Command.RUN) return false;
      Atomics.wait(this.#words, Word.ROOM, seen);
    }
    this.#full = undefined;
    return true;
  }

  /** Main's side: who waits for room should look again. */
  noteRoom(): void {
    Atomics.add(this.#words, Word.ROOM, 1);
    Atomics.notify(this.#words, Word.ROOM);
  }

  /** With the lock held: the guest asks for the machine's end; of several, the first one counts. */
  end(ending: number, code = 0): void {
    if (!this.isEnding) this.#words[Word.CODE] = code;
    Atomics.compareExchange(this.#words, Word.ENDING, Ending.NONE, ending);
    this.ringBell(Bell.ENDING);
  }

  /**
   * With the lock held: when main has the devices do what is due then, in milliseconds since 1970, as
   * far as it has been told. Whoever moves it rings the bell.
   */
  get deadline(): number {
    return this.#deadline[0]!;
  }

  set deadline(deadline: number) {
    this.#deadline[0] = deadline;
  }

  /** Whether the guest has asked for the machine's end. */
  get isEnding(): boolean {
    return Atomics.load(this.#words, Word.ENDING) !== Ending.NONE;
  }

  /** Main's side: what the guest asked for. */
  get ending(): { readonly ending: number; readonly code: number } {
    const ending = Atomics.load(this.#words, Word.ENDING);
    return { ending, code: this.#words[Word.CODE]! >>> 0 };
  }

  /** Main's side: it has done so, and all vCPUs wait. */
  takeEnding(): void {
    Atomics.store(this.#words, Word.ENDING, Ending.NONE);
  }

  /** What a vCPU's thread should do. */
  command(id: number): number {
    return this.order(id) & COMMAND_MASK;
  }

  /** A command and which one it is: another number for each that main has given. */
  order(id: number): number {
    return Atomics.load(this.#vcpus, id * VCPU_WORDS + ORDER);
  }

  /** Main's side: tells a vCPU's thread what to do. */
  setCommand(id: number, command: number): void {
    // It waits no more, though it may not know yet: whoever pauses it again waits for its word.
    const status = id * VCPU_WORDS + STATUS;
    if (command === Command.RUN) {
      Atomics.compareExchange(this.#vcpus, status, Status.PAUSED, Status.RUNNING);
    }
    const next = (this.order(id) & ~COMMAND_MASK) + COMMAND_MASK + 1;
    Atomics.store(this.#vcpus, id * VCPU_WORDS + ORDER, next | command);
    Atomics.notify(this.#vcpus, id * VCPU_WORDS + ORDER);
    this.noteRoom();
  }

  /** A vCPU's side: waits for another order than this one. */
  awaitOrder(id: number, order: number): void {
    Atomics.wait(this.#vcpus, id * VCPU_WORDS + ORDER, order);
  }

  /** What a vCPU's thread is doing. */
  status(id: number): number {
    return Atomics.load(this.#vcpus, id * VCPU_WORDS + STATUS);
  }

  /** A vCPU's side: tells main what it is doing. */
  setStatus(id: number, status: number): void {
    Atomics.store(this.#vcpus, id * VCPU_WORDS + STATUS, status);
    this.ringBell(Bell.VCPU);
  }

  /** A vCPU's side: hands its exit to main, and waits until main has handled it. */
  ask(id: number): void {
    this.setStatus(id, Status.ASKING);
    while (this.status(id) === Status.ASKING) {
      Atomics.wait(this.#vcpus, id * VCPU_WORDS + STATUS, Status.ASKING);
    }
  }

  /** Main's side: the exit is handled. */
  answer(id: number): void {
    const at = id * VCPU_WORDS + STATUS;
    if (Atomics.compareExchange(this.#vcpus, at, Status.ASKING, Status.RUNNING) !== Status.ASKING) {
      return;
    }
    Atomics.notify(this.#vcpus, at);
  }

  /** What a vCPU is kicked with; 0 before its thread has begun. */
  kickHandle(id: number): number {
    return this.#handles[id * VCPU_WORDS / 2 + 1]!;
  }

  /** A vCPU's side: from now on it can be kicked. */
  setKickHandle(id: number, handle: number): void {
    this.#handles[id * VCPU_WORDS / 2 + 1] = handle;
  }

  /** Main's side: from now on it answers these ports, or no more. */
  claimPorts(first: number, count: number, claimed: boolean): void {
    for (let port = first; port < first + count; port++) {
      if (claimed) this.#ports[port >> 3]! |= 1 << (port & 7);
      else this.#ports[port >> 3]! &= ~(1 << (port & 7));
    }
  }

  /** A vCPU's side: whether main answers one of these ports; of what is beyond the last one, none. */
  claimsPorts(first: number, count: number): boolean {
    const end = Math.min(first + count, PORTS);
    for (let port = first; port < end; port++) {
      if (((this.#ports[port >> 3]! >> (port & 7)) & 1) !== 0) return true;
    }
    return false;
  }

  /** Main's side: all the MMIO ranges that it answers. */
  claimRanges(ranges: readonly { readonly start: number; readonly end: number }[]): void {
    if (ranges.length > MAX_RANGES) {
      const hint = `A machine has room for ${MAX_RANGES}`;
      throw new KvmError({ operation: "map a device", errno: Errno.ENOSPC, hint });
    }
    this.lock.hold(() => {
      ranges.forEach(({ start, end }, at) => {
        this.#ranges[at * 2] = start;
        this.#ranges[at * 2 + 1] = end;
      });
      Atomics.store(this.#words, Word.RANGES, ranges.length);
    });
  }

  /** A vCPU's side, with the lock held: whether main answers one of these addresses. */
  claimsAddresses(first: number, length: number): boolean {
    const count = Atomics.load(this.#words, Word.RANGES);
    for (let at = 0; at < count; at++) {
      if (first < this.#ranges[at * 2 + 1]! && first + length > this.#ranges[at * 2]!) return true;
    }
    return false;
  }
}
