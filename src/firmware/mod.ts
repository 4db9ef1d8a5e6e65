/**
 * What a PC's firmware leaves for a kernel: the memory map, ACPI tables and the MP table, as bytes
 * from plain descriptions. There is no KVM in here.
 *
 * @module
 */

export type { Range } from "../memory/mod.ts";
export { type AcpiTables, acpiTables, writeAcpiTables } from "./acpi/mod.ts";
export type {
  Clock,
  FirmwareConfig,
  FirmwareDescription,
  KeyboardController,
  PowerManagement,
  ProcessorSignature,
  SerialPort,
  Trigger,
  VirtioMmio,
} from "./description.ts";
export { vectorAt, writeInterruptVectors } from "./interrupt_vectors.ts";
export * from "./layout/mod.ts";
export {
  type E820Entry,
  E820Type,
  type E820TypeNumber,
  type MemoryMap,
  memoryMap,
} from "./memory_map.ts";
export { type MpTable, mpTable, writeMpTable } from "./mp_table.ts";
export type { TableMemory, TableRegion } from "./place.ts";
