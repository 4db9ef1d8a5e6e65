/**
 * The MP table (Intel MultiProcessor Specification 1.4): processors and interrupts for kernels
 * without ACPI.
 *
 * @module
 */

import { bytesOf, from, sizeOf, view } from "../../ffi/mod.ts";
import { ascii, checksum, concat } from "./bytes.ts";
import { checkDescription, type FirmwareDescription } from "./description.ts";
import { IntiFlags, isaInterrupts } from "./interrupts.ts";
import { IO_APIC, LOCAL_APIC, MP_TABLE, MP_TABLE_SIZE } from "./layout/mod.ts";
import { type TableMemory, type TableRegion, Window } from "./place.ts";

/** "MP Floating Pointer Structure" (4.1). */
const floatingPointerTable = {
  signature: "u8[4]",
  physicalAddressPointer: "u32",
  length: "u8",
  specRev: "u8",
  checksum: "u8",
  feature: "u8[5]",
} as const;

/** "MP Configuration Table Header" (4.2). */
const configurationTable = {
  signature: "u8[4]",
  baseTableLength: "u16",
  specRev: "u8",
  checksum: "u8",
  oemId: "u8[8]",
  productId: "u8[12]",
  oemTablePointer: "u32",
  oemTableSize: "u16",
  entryCount: "u16",
  localApicAddress: "u32",
  extendedTableLength: "u16",
  extendedTableChecksum: "u8",
  reserved: "u8",
} as const;

/** "Processor Entries" (4.3.1). */
const processorEntry = {
  type: "u8",
  localApicId: "u8",
  localApicVersion: "u8",
  cpuFlags: "u8",
  cpuSignature: "u32",
  featureFlags: "u32",
  reserved: "u32[2]",
} as const;

/** "Bus Entries" (4.3.2). */
const busEntry = { type: "u8", busId: "u8", busType: "u8[6]" } as const;

/** "I/O APIC Entries" (4.3.3). */
const ioApicEntry = {
  type: "u8",
  ioApicId: "u8",
  ioApicVersion: "u8",
  flags: "u8",
  address: "u32",
} as const;

/** "I/O Interrupt Assignment Entries" (4.3.4) and "Local Interrupt Assignment Entries" (4.3.5). */
const interruptEntry = {
  type: "u8",
  interruptType: "u8",
  flags: "u16",
  sourceBusId: "u8",
  sourceBusIrq: "u8",
  destinationApicId: "u8",
  destinationPin: "u8",
} as const;

/** Entries come in the order of their types (table 4-3). */
const EntryType = {
  PROCESSOR: 0,
  BUS: 1,
  IO_APIC: 2,
  IO_INTERRUPT: 3,
  LOCAL_INTERRUPT: 4,
} as const;

/** Interrupt types (table 4-11). */
const InterruptType = {
  /** The I/O APIC has the vector. */
  INT: 0,
  /** A non-maskable one. */
  NMI: 1,
  /** The PIC has the vector. */
  EXT_INT: 3,
} as const;

const CpuFlags = { ENABLED: 1 << 0, BOOT_PROCESSOR: 1 << 1 } as const;

/** Version 1.4. */
const SPEC_REV = 4;

/** The version registers of the APICs, as KVM has them (SDM volume 3, "Local APIC Version Register"). */
const LOCAL_APIC_VERSION = 0x14;
const IO_APIC_VERSION = 0x11;

/** A processor's feature bits (CPUID leaf 1, EDX). */
const FPU = 1 << 0;
const APIC = 1 << 9;
const FAMILY_6 = 6 << 8;

/** Ids of local APICs have 8 bits in here, and all ones are every processor. */
const ALL_PROCESSORS = 0xff;

/** A machine's MP table. */
export interface MpTable {
  /** Where the floating pointer is. */
  readonly floatingPointerAddress: number;
  /** The floating pointer and the configuration table, by ascending address. */
  readonly regions: readonly TableRegion[];
}

/**
 * The MP table of a machine, in the last 8 KiB below 1 MiB. It has one bus, ISA, whose interrupts
 * come in at the pins of the same numbers, but for the PIT's at pin 2. Processors whose APIC's id
 * is 255 or more can't be told of; ACPI's tables have them.
 *
 * @throws {KvmError} EINVAL for a description that no table can tell.
 *
 * @example
 * ```ts
 * import { mpTable } from "@deno-kvm/kvm/firmware";
 *
 * const { regions } = mpTable({ apicIds: [0, 1], pm: { sleepTypeS5: 5 } });
 * console.log(regions.map(({ signature }) => signature)); // ["_MP_", "PCMP"]
 * ```
 */
export function mpTable(description: FirmwareDescription): MpTable {
  const operation = "make an MP table";
  checkDescription(operation, description);
  const window = new Window(operation, { guestPhysAddr: MP_TABLE, size: MP_TABLE_SIZE });
  const pointer = from(floatingPointerTable, {
    signature: ascii("_MP_"),
    // In units of 16 bytes; of the features, all zero, the first says that there is a table.
    length: sizeOf(floatingPointerTable) / 16,
    specRev: SPEC_REV,
  });
  const floatingPointerAddress = window.place("_MP_", bytesOf(pointer));
  pointer.physicalAddressPointer = window.place("PCMP", configuration(description));
  pointer.checksum = checksum(bytesOf(pointer));
  return { floatingPointerAddress, regions: window.regions };
}

/**
 * Makes a machine's MP table and writes it to its memory.
 *
 * @throws {KvmError} as {@linkcode mpTable}, and EFAULT if there is no memory below 1 MiB.
 */
export function writeMpTable(memory: TableMemory, description: FirmwareDescription): MpTable {
  const table = mpTable(description);
  for (const { address, bytes } of table.regions) memory.writeBytes(address, bytes);
  return table;
}

function configuration(description: FirmwareDescription): Uint8Array<ArrayBuffer> {
  const entries = [
    ...processors(description),
    bytesOf(from(busEntry, { type: EntryType.BUS, busType: ascii("ISA", 6) })),
    ...ioInterrupts(description),
    ...localInterrupts(),
  ];
  const fixed = from(configurationTable, {
    signature: ascii("PCMP"),
    specRev: SPEC_REV,
    oemId: ascii("DENO", 8),
    productId: ascii("KVM", 12),
    entryCount: entries.length,
    localApicAddress: LOCAL_APIC,
  });
  const bytes = concat(bytesOf(fixed), ...entries);
  const start = view(configurationTable, bytes.buffer);
  start.baseTableLength = bytes.length;
  start.checksum = checksum(bytes);
  return bytes;
}

function processors({ apicIds, processor = {} }: FirmwareDescription): Uint8Array[] {
  const { signature = FAMILY_6, features = FPU | APIC } = processor;
  return apicIds
    .map((localApicId, index) => ({
      type: EntryType.PROCESSOR,
      localApicId,
      localApicVersion: LOCAL_APIC_VERSION,
      cpuFlags: CpuFlags.ENABLED | (index === 0 ? CpuFlags.BOOT_PROCESSOR : 0),
      cpuSignature: signature,
      featureFlags: features,
    }))
    .filter(({ localApicId }) => localApicId < ALL_PROCESSORS)
    .map((fields) => bytesOf(from(processorEntry, fields)));
}

/** The I/O APIC, and what comes in at its pins. */
function ioInterrupts(description: FirmwareDescription): Uint8Array[] {
  const { ioApicId = 0 } = description;
  const ioApic = from(ioApicEntry, {
    type: EntryType.IO_APIC,
    ioApicId,
    ioApicVersion: IO_APIC_VERSION,
    flags: 1, // usable
    address: IO_APIC,
  });
  const interrupts = isaInterrupts(description).map(({ irq, pin, flags }) =>
    bytesOf(from(interruptEntry, {
      type: EntryType.IO_INTERRUPT,
      interruptType: InterruptType.INT,
      flags,
      sourceBusIrq: irq,
      destinationApicId: ioApicId,
      destinationPin: pin,
    }))
  );
  return [bytesOf(ioApic), ...interrupts];
}

/** The PIC at LINT0 and the NMI at LINT1, of every processor. */
function localInterrupts(): Uint8Array[] {
  return [InterruptType.EXT_INT, InterruptType.NMI].map((interruptType, lint) =>
    bytesOf(from(interruptEntry, {
      type: EntryType.LOCAL_INTERRUPT,
      interruptType,
      flags: IntiFlags.CONFORMS,
      destinationApicId: ALL_PROCESSORS,
      destinationPin: lint,
    }))
  );
}
