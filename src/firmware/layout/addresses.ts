/**
 * Where everything lies in the machine's guest-physical memory. Whoever places something there
 * takes its address from here.
 *
 * ```
 * 0x1_0000_0000 ┬ HIGH_RAM      RAM beyond the first 3 GiB
 *               │
 *   0xfee0_0000 ├ LOCAL_APIC    each processor's own interrupt controller
 *   0xfec0_0000 ├ IO_APIC       the interrupt controller
 *   0xd000_0000 ├ BOOT_TIMER    a byte written here says how far the guest is
 *   0xc000_0000 ┼ MMIO_HOLE     devices, no RAM
 *               │
 *   0x0010_0000 ├ HIGH_MEMORY   RAM from 1 MiB: the kernel, the initial ramdisk
 *   0x000f_e000 ├ MP_TABLE      MP floating pointer, MP configuration table
 *   0x000e_0000 ├ ACPI_TABLES   RSDP, the other ACPI tables
 *   0x000c_0000 ├ BIOS_HANDLERS what real mode's vectors lead to
 *   0x000a_0000 ├ LEGACY_HOLE   a PC's video memory and ROMs: RAM that no kernel takes for its own
 *   0x0009_fc00 ├ EBDA          the BIOS's extended data area
 *               │
 *   0x0002_0000 ├ COMMAND_LINE  the kernel's command line, a zero at its end
 *   0x0000_9000 ├ BOOT_PAGE_TABLES
 *   0x0000_7000 ├ ZERO_PAGE     boot_params
 *   0x0000_0500 ├ BOOT_GDT
 *   0x0000_0000 ┴               real mode's vectors, the BIOS's data
 * ```
 *
 * @module
 */

/** The GDT that a kernel is entered with. Below it are real mode's vectors and the BIOS's data. */
export const BOOT_GDT = 0x500;

/** The zero page: Linux's `struct boot_params`, of 4 KiB (x86/zero-page.rst). */
export const ZERO_PAGE = 0x7000;

/** The page tables that a 64-bit kernel is entered with; they may reach up to the command line. */
export const BOOT_PAGE_TABLES = 0x9000;

/** The kernel's command line. */
export const COMMAND_LINE = 0x2_0000;

/** Room for the command line and its zero, in bytes; a kernel's own limit is lower. */
export const COMMAND_LINE_SIZE = 0x1_0000;

/** The extended BIOS data area, where the memory that every PC has ends: 1 KiB, reserved. */
export const EBDA = 0x9_fc00;

/** Where a PC has its video memory and its ROMs. There is RAM, but no kernel takes it. */
export const LEGACY_HOLE = 0xa_0000;

/** Where real mode's vectors lead to: a handler for each, of 4 bytes. */
export const BIOS_HANDLERS = 0xc_0000;

/** The ACPI tables, the RSDP first: kernels look for it here in steps of 16 bytes. */
export const ACPI_TABLES = 0xe_0000;

/** Bytes for the ACPI tables, up to the MP table. */
export const ACPI_TABLES_SIZE = 0x1_e000;

/** The MP floating pointer and the MP configuration table: kernels look here, above 0xf0000. */
export const MP_TABLE = 0xf_e000;

/** Bytes for both, up to 1 MiB. */
export const MP_TABLE_SIZE = 0x2000;

/** Memory above 1 MiB. */
export const HIGH_MEMORY = 0x10_0000;

/** The first address that is no RAM but devices: RAM below 4 GiB ends here at the latest. */
export const MMIO_HOLE = 0xc000_0000;

/** The boot timer: the guest's marks of how far it is. */
export const BOOT_TIMER = 0xd000_0000;

/** The I/O APIC's registers. */
export const IO_APIC = 0xfec0_0000;

/** A processor's own local APIC's registers. */
export const LOCAL_APIC = 0xfee0_0000;

/** 4 GiB: the RAM that the hole leaves no room for goes on here. */
export const HIGH_RAM = 0x1_0000_0000;
