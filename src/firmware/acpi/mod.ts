/**
 * ACPI tables (Advanced Configuration and Power Interface Specification 6.5), a file each.
 *
 * @module
 */

export { type AcpiTables, acpiTables, writeAcpiTables } from "./tables.ts";
