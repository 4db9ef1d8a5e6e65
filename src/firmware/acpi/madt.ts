/**
 * The "Multiple APIC Description Table" (ACPI 6.5, 5.2.12): processors and interrupt controllers.
 *
 * @module
 */

import { bytesOf, from, sizeOf, type StructInit, type Table } from "../../../ffi/mod.ts";
import { word } from "../bytes.ts";
import type { FirmwareDescription } from "../description.ts";
import { IntiFlags, ISA_IRQS, isaInterrupts } from "../interrupts.ts";
import { IO_APIC, LOCAL_APIC } from "../layout/mod.ts";
import { header, sdtHeader, table } from "./header.ts";

const madtTable = {
  header: sdtHeader,
  localApicAddress: "u32",
  flags: "u32",
} as const;

/** 5.2.12.2. */
const localApic = {
  type: "u8",
  length: "u8",
  acpiProcessorUid: "u8",
  apicId: "u8",
  flags: "u32",
} as const;

/** 5.2.12.3. */
const ioApic = {
  type: "u8",
  length: "u8",
  ioApicId: "u8",
  reserved: "u8",
  ioApicAddress: "u32",
  globalSystemInterruptBase: "u32",
} as const;

/** 5.2.12.5; its interrupt has 4 bytes, but the struct is 10 bytes long. */
const interruptSourceOverride = {
  type: "u8",
  length: "u8",
  bus: "u8",
  source: "u8",
  globalSystemInterrupt: "u16[2]",
  flags: "u16",
} as const;

/** 5.2.12.7. */
const localApicNmi = {
  type: "u8",
  length: "u8",
  acpiProcessorUid: "u8",
  flags: "u8[2]",
  localApicLint: "u8",
} as const;

/** 5.2.12.12. */
const localX2apic = {
  type: "u8",
  length: "u8",
  reserved: "u16",
  x2apicId: "u32",
  flags: "u32",
  acpiProcessorUid: "u32",
} as const;

/** 5.2.12.13. */
const localX2apicNmi = {
  type: "u8",
  length: "u8",
  flags: "u16",
  acpiProcessorUid: "u32",
  localX2apicLint: "u8",
  reserved: "u8[3]",
} as const;

/** Types of entries (table 5.21). */
const EntryType = {
  LOCAL_APIC: 0,
  IO_APIC: 1,
  INTERRUPT_SOURCE_OVERRIDE: 2,
  LOCAL_APIC_NMI: 4,
  LOCAL_X2APIC: 9,
  LOCAL_X2APIC_NMI: 10,
} as const;

const MADT_REVISION = 5;

/** The machine has a PC's two PICs as well, which a kernel masks. */
const PCAT_COMPAT = 1 << 0;

/** A processor is ready for use. */
const ENABLED = 1 << 0;

/** From this id on a processor needs the wider entry: 255 means all of them in the narrow ones. */
const X2APIC = 255;

/** Every processor, in an entry for one. */
const ALL_PROCESSORS = 0xff;
const ALL_PROCESSORS_X2APIC = 0xffff_ffff;

/** The local APIC's input where a PC has its NMI. */
const LINT1 = 1;

/** The MADT. A processor's UID in the namespace is its APIC's id. */
export function madt(description: FirmwareDescription): Uint8Array<ArrayBuffer> {
  const { apicIds, ioApicId = 0 } = description;
  const fixed = from(madtTable, {
    header: header("APIC", MADT_REVISION),
    localApicAddress: LOCAL_APIC,
    flags: PCAT_COMPAT,
  });
  const overrides = isaInterrupts(description).filter(({ irq, pin, flags }) =>
    irq < ISA_IRQS && (pin !== irq || flags !== IntiFlags.CONFORMS)
  );
  return table(
    bytesOf(fixed),
    ...apicIds.map(processor),
    entry(ioApic, {
      type: EntryType.IO_APIC,
      ioApicId,
      ioApicAddress: IO_APIC,
      globalSystemInterruptBase: 0,
    }),
    ...overrides.map(({ irq, pin, flags }) =>
      entry(interruptSourceOverride, {
        type: EntryType.INTERRUPT_SOURCE_OVERRIDE,
        source: irq,
        globalSystemInterrupt: [pin, 0],
        flags,
      })
    ),
    ...nmis(apicIds),
  );
}

function processor(apicId: number): Uint8Array {
  return apicId < X2APIC
    ? entry(localApic, {
      type: EntryType.LOCAL_APIC,
      acpiProcessorUid: apicId,
      apicId,
      flags: ENABLED,
    })
    : entry(localX2apic, {
      type: EntryType.LOCAL_X2APIC,
      x2apicId: apicId,
      flags: ENABLED,
      acpiProcessorUid: apicId,
    });
}

/** Where the NMI comes in: an entry for all processors of the one kind, and one for the other. */
function nmis(apicIds: readonly number[]): Uint8Array[] {
  const flags = IntiFlags.CONFORMS;
  const entries: Uint8Array[] = [];
  if (apicIds.some((id) => id < X2APIC)) {
    entries.push(entry(localApicNmi, {
      type: EntryType.LOCAL_APIC_NMI,
      acpiProcessorUid: ALL_PROCESSORS,
      flags: word(flags),
      localApicLint: LINT1,
    }));
  }
  if (apicIds.some((id) => id >= X2APIC)) {
    entries.push(entry(localX2apicNmi, {
      type: EntryType.LOCAL_X2APIC_NMI,
      flags,
      acpiProcessorUid: ALL_PROCESSORS_X2APIC,
      localX2apicLint: LINT1,
    }));
  }
  return entries;
}

function entry<const T extends Table & { readonly length: "u8" }>(
  layout: T,
  init: StructInit<T>,
): Uint8Array {
  return bytesOf(from(layout, { ...init, length: sizeOf(layout) }));
}
