/**
 * Finds ACPI tables in memory as a kernel does, from the specification and not from the modules
 * that made them.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { sum, textOf } from "./description.ts";

/** A table as it lies in memory. */
export interface FoundTable {
  /** Where. */
  readonly address: number;
  /** All of it. */
  readonly bytes: Uint8Array;
  /** The same, for its fields. */
  readonly view: DataView;
}

/** Reads guest memory. */
export type Read = (address: number, length: number) => Uint8Array;

/** Everything that is reached from the RSDP, by signature; every checksum was right. */
export function findTables(read: Read): Map<string, FoundTable> {
  const found = new Map<string, FoundTable>();
  const pointer = findRsdp(read);
  found.set("RSD PTR ", pointer);
  const rsdtAddress = pointer.view.getUint32(16, true);
  const xsdtAddress = Number(pointer.view.getBigUint64(24, true));
  const rsdt = readTable(read, rsdtAddress);
  const xsdt = readTable(read, xsdtAddress);
  assertEquals(textOf(rsdt.bytes.subarray(0, 4)), "RSDT");
  assertEquals(textOf(xsdt.bytes.subarray(0, 4)), "XSDT");
  const addresses = entries(xsdt, 8);
  assertEquals(entries(rsdt, 4), addresses);
  for (const table of [rsdt, xsdt, ...addresses.map((address) => readTable(read, address))]) {
    const signature = textOf(table.bytes.subarray(0, 4));
    assert(!found.has(signature), `two of ${signature}`);
    found.set(signature, table);
  }
  const fadt = found.get("FACP")!.view;
  const dsdtAddress = fadt.getUint32(40, true);
  assertEquals(BigInt(dsdtAddress), fadt.getBigUint64(140, true));
  found.set("DSDT", readTable(read, dsdtAddress));
  const facs = at(read, fadt.getUint32(36, true), 64);
  assertEquals(textOf(facs.bytes.subarray(0, 4)), "FACS");
  assertEquals(facs.view.getUint32(4, true), 64);
  found.set("FACS", facs);
  return found;
}

/** 5.2.5.1: on a boundary of 16 bytes, in the last 128 KiB below 1 MiB. */
function findRsdp(read: Read): FoundTable {
  for (let address = 0xe_0000; address < 0x10_0000; address += 16) {
    const table = at(read, address, 36);
    if (textOf(table.bytes.subarray(0, 8)) !== "RSD PTR ") continue;
    assertEquals(sum(table.bytes.subarray(0, 20)), 0, "the first checksum");
    assertEquals(sum(table.bytes), 0, "the extended checksum");
    assertEquals([table.bytes[15], table.view.getUint32(20, true)], [2, 36]);
    return table;
  }
  throw new Error("There is no RSDP");
}

function readTable(read: Read, address: number): FoundTable {
  const length = at(read, address, 36).view.getUint32(4, true);
  const table = at(read, address, length);
  assertEquals(sum(table.bytes), 0, `the checksum of ${textOf(table.bytes.subarray(0, 4))}`);
  return table;
}

function entries({ view, bytes }: FoundTable, size: 4 | 8): number[] {
  const addresses: number[] = [];
  for (let offset = 36; offset < bytes.length; offset += size) {
    const high = size === 8 ? view.getUint32(offset + 4, true) : 0;
    addresses.push(high * 2 ** 32 + view.getUint32(offset, true));
  }
  return addresses;
}

function at(read: Read, address: number, length: number): FoundTable {
  const bytes = read(address, length);
  return { address, bytes, view: new DataView(bytes.buffer, bytes.byteOffset, length) };
}

/** An entry of the MADT: its type, and what follows type and length. */
export interface MadtEntry {
  /** 0 for a processor, 1 for an I/O APIC, ... */
  readonly type: number;
  /** From the entry's first byte. */
  readonly view: DataView;
}

/** The MADT's entries, in order. */
export function madtEntries({ bytes }: FoundTable): MadtEntry[] {
  const entries: MadtEntry[] = [];
  for (let offset = 44; offset < bytes.length;) {
    const [type, length] = bytes.subarray(offset, offset + 2);
    assert(length! >= 2 && offset + length! <= bytes.length, `an entry of ${length} bytes`);
    entries.push({
      type: type!,
      view: new DataView(bytes.buffer, bytes.byteOffset + offset, length),
    });
    offset += length!;
  }
  return entries;
}
