/**
 * The "Differentiated System Description Table" (ACPI 6.5, 5.2.11.1): the devices that can't be
 * found by looking, in AML. A device is a function here; a new one is added to {@linkcode dsdt}.
 *
 * @module
 */

import { bytesOf, from } from "../../../ffi/mod.ts";
import type {
  FirmwareConfig,
  FirmwareDescription,
  KeyboardController,
  SerialPort,
  VirtioMmio,
} from "../description.ts";
import { Irq, Port, PORT_COUNT } from "../layout/mod.ts";
import {
  type Aml,
  device,
  eisaId,
  integer,
  interrupt,
  io,
  irqNoFlags,
  memory32Fixed,
  name,
  numberedName,
  packageOf,
  type Resource,
  resourceTemplate,
  scope,
  text,
} from "./aml/mod.ts";
import { header, sdtHeader, table } from "./header.ts";

/** From revision 2 on integers have 64 bits. */
const DSDT_REVISION = 2;

/** _STA (6.3.7): the device is present, enabled, shown and working, or all of it but shown. */
const WORKING = 0xf;
const WORKING_UNSEEN = 0xb;

/** The DSDT of the devices that exist. */
export function dsdt(description: FirmwareDescription): Uint8Array<ArrayBuffer> {
  const { apicIds, serialPorts = [], i8042, rtc, fwCfg, virtioMmio = [], pm } = description;
  const devices = [
    ...apicIds.map(processor),
    ...serialPorts.map(serialPort),
    ...(i8042 === undefined ? [] : keyboardController(i8042)),
    ...(rtc === undefined ? [] : [clock()]),
    ...(fwCfg === undefined ? [] : [firmwareConfig(fwCfg)]),
    ...virtioMmio.map(virtio),
  ];
  return table(
    bytesOf(from(sdtHeader, header("DSDT", DSDT_REVISION))),
    scope("\\_SB", ...devices),
    softOff(pm.sleepTypeS5),
  );
}

/** A processor (8.4); its UID is that of its entry in the MADT. */
function processor(apicId: number, index: number): Aml {
  return device(
    numberedName("C", index),
    name("_HID", text("ACPI0007")),
    name("_UID", integer(apicId)),
    name("_STA", integer(WORKING)),
  );
}

function serialPort({ port, irq }: SerialPort, index: number): Aml {
  return device(
    numberedName("COM", index + 1),
    name("_HID", eisaId("PNP0501")),
    name("_UID", integer(index + 1)),
    name("_STA", integer(WORKING)),
    resources(io(port, 8), irqNoFlags(irq)),
  );
}

/** The keyboard has the controller's ports, and a mouse its interrupt alone. */
function keyboardController({ mouse = false }: KeyboardController): Aml[] {
  const keyboard = device(
    "KBD",
    name("_HID", eisaId("PNP0303")),
    name("_STA", integer(WORKING)),
    resources(io(Port.I8042, 1), io(Port.I8042 + 4, 1), irqNoFlags(Irq.KEYBOARD)),
  );
  if (!mouse) return [keyboard];
  const ps2Mouse = device(
    "MOU",
    name("_HID", eisaId("PNP0F13")),
    name("_STA", integer(WORKING)),
    resources(irqNoFlags(Irq.MOUSE)),
  );
  return [keyboard, ps2Mouse];
}

function clock(): Aml {
  return device(
    "RTC",
    name("_HID", eisaId("PNP0B00")),
    name("_STA", integer(WORKING)),
    resources(io(Port.RTC, 2), irqNoFlags(Irq.RTC)),
  );
}

/** As QEMU's documentation of fw_cfg has it. */
function firmwareConfig({ port = Port.FW_CFG }: FirmwareConfig): Aml {
  return device(
    "FWCF",
    name("_HID", text("QEMU0002")),
    name("_STA", integer(WORKING_UNSEEN)),
    resources(io(port, PORT_COUNT.FW_CFG)),
  );
}

/** A virtio device; Linux's driver knows it by this id, and finds out itself what it is. */
function virtio({ address, size, irq, trigger }: VirtioMmio, index: number): Aml {
  return device(
    numberedName("V", index),
    name("_HID", text("LNRO0005")),
    name("_UID", integer(index)),
    name("_STA", integer(WORKING)),
    resources(memory32Fixed(address, size), interrupt(irq, { edge: trigger === "edge" })),
  );
}

function resources(...descriptors: readonly Resource[]): Aml {
  return name("_CRS", resourceTemplate(...descriptors));
}

/** What is written to SLP_TYP to switch the machine off (7.4.2): for PM1a and for PM1b. */
function softOff(sleepType: number): Aml {
  const reserved = integer(0);
  return name("_S5", packageOf(integer(sleepType), integer(sleepType), reserved, reserved));
}
