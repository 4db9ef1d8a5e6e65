/**
 * The "Fixed ACPI Description Table" (ACPI 6.5, 5.2.9): where the registers of power management
 * are, and what the machine has of a PC's legacy.
 *
 * @module
 */

import { bytesOf, from, halves, type StructInit } from "../../../ffi/mod.ts";
import { word } from "../bytes.ts";
import type { FirmwareDescription } from "../description.ts";
import { Irq, Port } from "../layout/mod.ts";
import { header, sdtHeader, table } from "./header.ts";

/** "Generic Address Structure" (5.2.3.2). */
const genericAddress = {
  addressSpaceId: "u8",
  registerBitWidth: "u8",
  registerBitOffset: "u8",
  accessSize: "u8",
  address: "u32[2]",
} as const;

/** Revision 6; its 64-bit fields and two of its 16-bit ones lie at odd offsets. */
const fadtTable = {
  header: sdtHeader,
  firmwareCtrl: "u32",
  dsdt: "u32",
  reserved: "u8",
  preferredPmProfile: "u8",
  sciInt: "u16",
  smiCmd: "u32",
  acpiEnable: "u8",
  acpiDisable: "u8",
  s4biosReq: "u8",
  pstateCnt: "u8",
  pm1aEvtBlk: "u32",
  pm1bEvtBlk: "u32",
  pm1aCntBlk: "u32",
  pm1bCntBlk: "u32",
  pm2CntBlk: "u32",
  pmTmrBlk: "u32",
  gpe0Blk: "u32",
  gpe1Blk: "u32",
  pm1EvtLen: "u8",
  pm1CntLen: "u8",
  pm2CntLen: "u8",
  pmTmrLen: "u8",
  gpe0BlkLen: "u8",
  gpe1BlkLen: "u8",
  gpe1Base: "u8",
  cstCnt: "u8",
  pLvl2Lat: "u16",
  pLvl3Lat: "u16",
  flushSize: "u16",
  flushStride: "u16",
  dutyOffset: "u8",
  dutyWidth: "u8",
  dayAlrm: "u8",
  monAlrm: "u8",
  century: "u8",
  iapcBootArch: "u8[2]",
  reserved2: "u8",
  flags: "u32",
  resetReg: genericAddress,
  resetValue: "u8",
  armBootArch: "u8[2]",
  minorVersion: "u8",
  xFirmwareCtrl: "u32[2]",
  xDsdt: "u32[2]",
  xPm1aEvtBlk: genericAddress,
  xPm1bEvtBlk: genericAddress,
  xPm1aCntBlk: genericAddress,
  xPm1bCntBlk: genericAddress,
  xPm2CntBlk: genericAddress,
  xPmTmrBlk: genericAddress,
  xGpe0Blk: genericAddress,
  xGpe1Blk: genericAddress,
  sleepControlReg: genericAddress,
  sleepStatusReg: genericAddress,
  hypervisorVendorId: "u32[2]",
} as const;

const FADT_REVISION = 6;

/** Fixed feature flags (table 5.10). */
export const FadtFlags = {
  /** WBINVD writes the caches back and invalidates them. */
  WBINVD: 1 << 0,
  /** Every processor has the state C1: HLT. */
  PROC_C1: 1 << 2,
  /** There is no sleep button in the fixed registers. */
  SLP_BUTTON: 1 << 5,
  /** The clock can't wake the machine through the fixed registers. */
  FIX_RTC: 1 << 6,
  /** The PM timer counts 32 bits, and not 24. */
  TMR_VAL_EXT: 1 << 8,
  /** There is a reset register. */
  RESET_REG_SUP: 1 << 10,
} as const;

/** IA-PC boot architecture flags (5.2.9.3). */
export const BootArchitecture = {
  /** There are devices on ISA: serial ports, a keyboard controller. */
  LEGACY_DEVICES: 1 << 0,
  /** There is a keyboard controller. */
  I8042: 1 << 1,
  /** There is no VGA: nobody may look for it. */
  VGA_NOT_PRESENT: 1 << 2,
  /** There is no clock with CMOS memory. */
  CMOS_RTC_NOT_PRESENT: 1 << 5,
} as const;

/** The latency from which on C2 and C3 count as missing, in microseconds. */
const NO_C2 = 101;
const NO_C3 = 1001;

/** Where a PC's CMOS memory has the century. */
const CENTURY = 0x32;

/** What resets all of the machine, written to the reset control register. */
const RESET = 6;

const SYSTEM_IO = 1;

/** Bytes of the registers. */
const PM1_EVENT_SIZE = 4;
const PM1_CONTROL_SIZE = 2;
const PM_TIMER_SIZE = 4;

/**
 * The FADT. There is no SMI command port, so the machine is in ACPI mode from the beginning, and no
 * block of general-purpose events.
 */
export function fadt(
  description: FirmwareDescription,
  facsAddress: number,
  dsdtAddress: number,
): Uint8Array<ArrayBuffer> {
  const { rtc, pm } = description;
  const {
    eventPort = Port.PM1A_EVENT,
    controlPort = Port.PM1A_CONTROL,
    timerPort = Port.PM_TIMER,
    resetPort = Port.RESET_CONTROL,
    resetValue = RESET,
  } = pm;
  return table(bytesOf(from(fadtTable, {
    header: header("FACP", FADT_REVISION),
    // One of the two addresses of the FACS may be set, and both of the DSDT.
    firmwareCtrl: facsAddress,
    dsdt: dsdtAddress,
    xDsdt: halves(dsdtAddress),
    sciInt: Irq.SCI,
    pm1aEvtBlk: eventPort,
    xPm1aEvtBlk: ports(eventPort, PM1_EVENT_SIZE, 2),
    pm1EvtLen: PM1_EVENT_SIZE,
    pm1aCntBlk: controlPort,
    xPm1aCntBlk: ports(controlPort, PM1_CONTROL_SIZE, 2),
    pm1CntLen: PM1_CONTROL_SIZE,
    pmTmrBlk: timerPort,
    xPmTmrBlk: ports(timerPort, PM_TIMER_SIZE, 4),
    pmTmrLen: PM_TIMER_SIZE,
    pLvl2Lat: NO_C2,
    pLvl3Lat: NO_C3,
    century: rtc === undefined ? 0 : rtc.century ?? CENTURY,
    iapcBootArch: word(bootArchitecture(description)),
    flags: flags(description),
    resetReg: ports(resetPort, 1, 1),
    resetValue,
  })));
}

/** Ports of a register, which are read `access` bytes at a time. */
function ports(port: number, size: number, access: 1 | 2 | 4): StructInit<typeof genericAddress> {
  return {
    addressSpaceId: SYSTEM_IO,
    registerBitWidth: 8 * size,
    accessSize: { 1: 1, 2: 2, 4: 3 }[access],
    address: halves(port),
  };
}

/** The power button is one of the fixed registers', by a flag that is not set. */
function flags({ pm }: FirmwareDescription): number {
  const { WBINVD, PROC_C1, SLP_BUTTON, FIX_RTC, TMR_VAL_EXT, RESET_REG_SUP } = FadtFlags;
  const timer = pm.timerBits === 24 ? 0 : TMR_VAL_EXT;
  return WBINVD | PROC_C1 | SLP_BUTTON | FIX_RTC | RESET_REG_SUP | timer;
}

function bootArchitecture(description: FirmwareDescription): number {
  const { serialPorts = [], i8042, rtc, vga = false } = description;
  let flags = 0;
  if (serialPorts.length > 0 || i8042 !== undefined) flags |= BootArchitecture.LEGACY_DEVICES;
  if (i8042 !== undefined) flags |= BootArchitecture.I8042;
  if (!vga) flags |= BootArchitecture.VGA_NOT_PRESENT;
  if (rtc === undefined) flags |= BootArchitecture.CMOS_RTC_NOT_PRESENT;
  return flags;
}
