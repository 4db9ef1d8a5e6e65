/**
 * All ACPI tables, each at an address where kernels find it.
 *
 * @module
 */

import { checkDescription, type FirmwareDescription } from "../description.ts";
import { ACPI_TABLES, ACPI_TABLES_SIZE } from "../layout/mod.ts";
import { type TableMemory, type TableRegion, Window } from "../place.ts";
import { dsdt } from "./dsdt.ts";
import { facs, FACS_ALIGN } from "./facs.ts";
import { fadt } from "./fadt.ts";
import { madt } from "./madt.ts";
import { rsdp, RSDP_SIZE, rsdt, xsdt } from "./rsdp.ts";

/** A machine's ACPI tables. */
export interface AcpiTables {
  /** Where the RSDP is: for a boot protocol that tells the kernel. */
  readonly rsdpAddress: number;
  /** Every table at its place, by ascending address; no two overlap. */
  readonly regions: readonly TableRegion[];
}

/**
 * The ACPI tables of a machine (ACPI 6.5, 5.2): RSDP, RSDT, XSDT, FADT, FACS, MADT and DSDT, between
 * 0xe0000 and the MP table.
 *
 * @throws {KvmError} EINVAL for a description that tables can't tell, and ENOMEM if they are larger
 * than the range is: at more than 2000 processors or so.
 *
 * @example
 * ```ts
 * import { acpiTables } from "@deno-kvm/kvm/firmware";
 *
 * const { regions } = acpiTables({
 *   apicIds: [0, 1],
 *   serialPorts: [{ port: 0x3f8, irq: 4 }],
 *   pm: { sleepTypeS5: 5 },
 * });
 * console.log(regions.map(({ signature }) => signature)); // ["RSD PTR", "FACS", "DSDT", ...]
 * ```
 */
export function acpiTables(description: FirmwareDescription): AcpiTables {
  const operation = "make ACPI tables";
  checkDescription(operation, description);
  const range = { guestPhysAddr: ACPI_TABLES, size: ACPI_TABLES_SIZE };
  const window = new Window(operation, range);
  // It comes first and says where the others are: its bytes are set at the end.
  const pointer = new Uint8Array(RSDP_SIZE);
  const rsdpAddress = window.place("RSD PTR ", pointer);
  const facsAddress = window.place("FACS", facs(), FACS_ALIGN);
  const dsdtAddress = window.place("DSDT", dsdt(description));
  const listed = [
    window.place("FACP", fadt(description, facsAddress, dsdtAddress)),
    window.place("APIC", madt(description)),
  ];
  const rsdtAddress = window.place("RSDT", rsdt(listed));
  const xsdtAddress = window.place("XSDT", xsdt(listed));
  pointer.set(rsdp(rsdtAddress, xsdtAddress));
  return { rsdpAddress, regions: window.regions };
}

/**
 * Makes a machine's ACPI tables and writes them to its memory.
 *
 * @throws {KvmError} as {@linkcode acpiTables}, and EFAULT if there is no memory at 0xe0000.
 */
export function writeAcpiTables(memory: TableMemory, description: FirmwareDescription): AcpiTables {
  const tables = acpiTables(description);
  for (const { address, bytes } of tables.regions) memory.writeBytes(address, bytes);
  return tables;
}
