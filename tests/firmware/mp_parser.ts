/**
 * Finds and reads an MP table in memory as a kernel does, from the specification and not from the
 * module that made it.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { sum, textOf } from "./description.ts";

/** What an MP table says. */
export interface ParsedMpTable {
  /** Local APIC's id, its version, whether enabled, whether it boots, signature, features. */
  readonly processors: readonly {
    readonly id: number;
    readonly version: number;
    readonly enabled: boolean;
    readonly boots: boolean;
    readonly signature: number;
    readonly features: number;
  }[];
  /** Names by id. */
  readonly buses: ReadonlyMap<number, string>;
  /** I/O APICs. */
  readonly ioApics: readonly { readonly id: number; readonly address: number }[];
  /** What comes in where. */
  readonly interrupts: readonly MpInterrupt[];
  /** What comes in at the local APICs. */
  readonly localInterrupts: readonly MpInterrupt[];
  /** Where local APICs are. */
  readonly localApicAddress: number;
}

/** An interrupt assignment. */
export interface MpInterrupt {
  /** INT, NMI, SMI or ExtINT. */
  readonly type: string;
  /** Polarity and trigger mode, as the specification's table has them in words. */
  readonly mode: string;
  /** The bus. */
  readonly bus: number;
  /** The interrupt on the bus. */
  readonly irq: number;
  /** The APIC's id. */
  readonly apic: number;
  /** The APIC's pin. */
  readonly pin: number;
}

const types = ["INT", "NMI", "SMI", "ExtINT"];
const polarities = ["conforms", "high", "reserved", "low"];
const triggers = ["conforms", "edge", "reserved", "level"];

/** Looks through a range in steps of 16 bytes (4 of the specification); every checksum was right. */
export function findMpTable(memory: Uint8Array, start: number, end: number): ParsedMpTable {
  for (let address = start; address < end; address += 16) {
    const pointer = memory.subarray(address, address + 16);
    if (textOf(pointer.subarray(0, 4)) !== "_MP_" || sum(pointer) !== 0) continue;
    assertEquals([pointer[8], pointer[9]], [1, 4], "length and version");
    assertEquals([...pointer.subarray(11)], [0, 0, 0, 0, 0], "features");
    return parse(memory, new DataView(memory.buffer).getUint32(address + 4, true));
  }
  throw new Error("There is no MP table");
}

function parse(memory: Uint8Array, address: number): ParsedMpTable {
  const view = new DataView(memory.buffer, address);
  assertEquals(textOf(memory.subarray(address, address + 4)), "PCMP");
  const length = view.getUint16(4, true);
  assertEquals(sum(memory.subarray(address, address + length)), 0, "checksum");
  assertEquals(view.getUint8(6), 4, "version");
  assertEquals(view.getUint16(40, true), 0, "extended table");
  const processors = [];
  const buses = new Map<number, string>();
  const ioApics = [];
  const interrupts: MpInterrupt[] = [];
  const localInterrupts: MpInterrupt[] = [];
  let offset = 44;
  let last = 0;
  for (let count = view.getUint16(34, true); count > 0; count--) {
    const type = view.getUint8(offset);
    assert(type >= last, "entries ascend by their type");
    last = type;
    const byte = (at: number) => view.getUint8(offset + at);
    switch (type) {
      case 0:
        processors.push({
          id: byte(1),
          version: byte(2),
          enabled: (byte(3) & 1) !== 0,
          boots: (byte(3) & 2) !== 0,
          signature: view.getUint32(offset + 4, true),
          features: view.getUint32(offset + 8, true),
        });
        break;
      case 1:
        buses.set(byte(1), textOf(memory.subarray(address + offset + 2, address + offset + 8)));
        break;
      case 2:
        assertEquals(byte(3), 1, "the I/O APIC is usable");
        ioApics.push({ id: byte(1), address: view.getUint32(offset + 4, true) });
        break;
      case 3:
      case 4:
        (type === 3 ? interrupts : localInterrupts).push({
          type: types[byte(1)]!,
          mode: `${polarities[byte(2) & 3]} ${triggers[byte(2) >> 2 & 3]}`,
          bus: byte(4),
          irq: byte(5),
          apic: byte(6),
          pin: byte(7),
        });
        break;
      default:
        throw new Error(`An entry of type ${type}`);
    }
    offset += type === 0 ? 20 : 8;
  }
  assertEquals(offset, length, "entries fill the table");
  const localApicAddress = view.getUint32(36, true);
  return { processors, buses, ioApics, interrupts, localInterrupts, localApicAddress };
}
