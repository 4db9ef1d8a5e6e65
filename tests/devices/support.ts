/**
 * What every device must stand, and wires that note what goes through them.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { bytesOf, type Table, view } from "../../ffi/mod.ts";
import type { Device } from "../../src/devices/mod.ts";

/** Wires that note what happens, and a clock that stands until it is set. */
export class Wires {
  /** What happened, in order. */
  readonly log: string[] = [];
  /** Milliseconds since 1970. */
  now: number = Date.UTC(2024, 1, 29, 23, 59, 57);
  /** The interrupt line's level. */
  level = false;
  /** How often it has risen. */
  rises = 0;
  /** What the source has left. */
  input: number[] = [];

  /** The clock. */
  readonly clock = (): number => this.now;
  /** An interrupt line, to which nothing is said twice. */
  readonly interrupt = {
    set: (level: boolean): void => {
      assert(level !== this.level, "the line is told what it is already");
      this.level = level;
      if (level) this.rises++;
      this.log.push(level ? "raise" : "lower");
    },
  };
  /** A sink. */
  readonly output = { put: (byte: number): void => this.note("put", byte) };
  /** A source of {@linkcode input}. */
  readonly source = { take: (): number => this.input.shift() ?? -1 };

  /** Notes an event. */
  note(what: string, ...values: unknown[]): void {
    this.log.push([what, ...values].join(" "));
  }

  /** What was put, as text. */
  get text(): string {
    const bytes = this.log.filter((entry) => entry.startsWith("put ")).map((entry) =>
      Number(entry.slice(4))
    );
    return String.fromCharCode(...bytes);
  }
}

/** Numbers that look random, the same for the same seed (a 32-bit xorshift). */
export function randoms(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}

/** What a device's state is a view of. */
export type StateOf<D extends Device> = NonNullable<D["state"]>;

/** A device to be put through {@linkcode stands}. */
export interface Subject<D extends Device> {
  /** What it is called in the tests' names. */
  readonly name: string;
  /** Makes one, over the state of another one if that is given. */
  make(wires: Wires, state?: StateOf<D>): D;
  /** Offsets that it answers. */
  readonly offsets: readonly number[];
  /** Of its state; left out for a device that has none. */
  readonly table?: Table;
  /** Values that its registers like, beside random ones. */
  readonly values?: readonly number[];
  /** What the host does now and then; each is called with some random number. */
  readonly actions?: readonly ((device: D, random: number, wires: Wires) => void)[];
  /** What must be so at any time. */
  check?(device: D, wires: Wires): void;
  /** Sets what a reset may leave as it is to something. */
  forget?(state: StateOf<D>): void;
}

const SIZES = [1, 2, 4];
const LIMITS = [0xff, 0xffff, 0, 0xffff_ffff];

type Step<D> = (device: D, wires: Wires) => unknown;

/** A random step: an access, or something of the host's. */
function randomStep<D extends Device>(
  { offsets, values = [], actions = [] }: Subject<D>,
  random: (below: number) => number,
): Step<D> {
  const number = random(0x1_0000_0000);
  if (actions.length > 0 && random(4) === 0) {
    const action = actions[random(actions.length)]!;
    return (device, wires) => action(device, number, wires);
  }
  const offset = offsets[random(offsets.length)]!;
  const size = random(8) === 0 ? SIZES[random(3)]! : 1;
  if (random(2) === 0) return (device) => device.read(offset, size);
  const value = values.length > 0 && random(2) === 0 ? values[random(values.length)]! : number;
  const limited = (value & LIMITS[size - 1]!) >>> 0;
  return (device) => device.write(offset, size, limited);
}

function stateBytes(device: Device): Uint8Array<ArrayBuffer> {
  return bytesOf(device.state!);
}

/** Registers the tests that any device must pass. */
export function stands<D extends Device>(subject: Subject<D>): void {
  const { name, make, offsets, table, check, forget } = subject;

  Deno.test(`${name} answers whatever size, offset and value, and never throws`, () => {
    const wires = new Wires();
    const device = make(wires);
    const places = new Set([...offsets, ...offsets.map((offset) => offset + 1), 0, 7, 255, 4095]);
    const values = [
      0,
      1,
      0x55,
      0x7f,
      0x80,
      0xaa,
      0xd1,
      0xfe,
      0xff,
      0x1234,
      0x8000_0000,
      0xffff_ffff,
    ];
    for (const offset of places) {
      for (const size of [1, 2, 4, 8]) {
        for (const value of values) {
          device.write(offset, size, size === 1 ? value & 0xff : value);
          const read = device.read(offset, size);
          const fits = Number.isInteger(read) && read >= 0 && read < 2 ** (8 * Math.min(size, 4));
          assert(fits, `${read} read at ${offset}, ${size} bytes`);
          check?.(device, wires);
        }
      }
    }
    assert(device.read(offsets[0]!, 1) <= 0xff);
  });

  Deno.test(`${name} holds together through 50,000 random steps`, () => {
    const wires = new Wires();
    const device = make(wires);
    const random = randoms(20_240_229);
    for (let step = 0; step < 50_000; step++) {
      const result = randomStep(subject, random)(device, wires);
      assert(typeof result !== "number" || result >= 0, `step ${step}: ${result}`);
      check?.(device, wires);
      wires.log.length = 0;
    }
  });

  if (table === undefined) return;
  const restore = (device: D) => view(table, stateBytes(device).slice().buffer) as StateOf<D>;

  Deno.test(`${name}'s bytes are a snapshot: from a copy it goes on the same`, () => {
    const random = randoms(7);
    for (let round = 0; round < 20; round++) {
      const one = new Wires();
      const first = make(one);
      for (let step = 0; step < 200; step++) randomStep(subject, random)(first, one);
      const two = new Wires();
      const second = make(two, restore(first));
      assertEquals(stateBytes(second), stateBytes(first), "a constructor leaves the state alone");
      two.now = one.now;
      two.level = one.level;
      two.input = [...one.input];
      one.log.length = 0;
      for (let step = 0; step < 200; step++) {
        const act = randomStep(subject, random);
        assertEquals(act(second, two), act(first, one));
      }
      assertEquals(two.log, one.log);
      assertEquals(stateBytes(second), stateBytes(first));
    }
  });

  Deno.test(`${name}: two instances over one state are one device`, () => {
    const random = randoms(99);
    const one = new Wires();
    const single = make(one);
    const two = new Wires();
    const left = make(two);
    const pair = [left, make(two, left.state as StateOf<D>)];
    for (let step = 0; step < 5000; step++) {
      const act = randomStep(subject, random);
      assertEquals(act(pair[random(2)]!, two), act(single, one), `step ${step}`);
    }
    assertEquals(two.log, one.log);
    assertEquals(stateBytes(left), stateBytes(single));
  });

  Deno.test(`${name}'s reset leaves what power-on does, and its line is low`, () => {
    const random = randoms(3);
    const wires = new Wires();
    const device = make(wires);
    for (let round = 0; round < 20; round++) {
      for (let step = 0; step < 100; step++) randomStep(subject, random)(device, wires);
      device.reset!();
      assertEquals(wires.level, false);
      const fresh = new Wires();
      fresh.now = wires.now;
      const state = restore(device);
      const expected = make(fresh).state as StateOf<D>;
      forget?.(state);
      forget?.(expected);
      assertEquals(bytesOf(state), bytesOf(expected));
    }
  });
}
