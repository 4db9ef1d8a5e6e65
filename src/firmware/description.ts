/**
 * What firmware tells a kernel of: plain data.
 *
 * @module
 */

import { checkInteger, checkList, checkNames, type Names } from "../../ffi/mod.ts";
import { invalid } from "./check.ts";
import { IO_APIC_PINS, PIT_PIN, PORT_COUNT } from "./layout/mod.ts";

/** How an interrupt line says that there is something to do; in either case by being high. */
export type Trigger = "edge" | "level";

/** A serial port: a 16550 with 8 I/O ports. */
export interface SerialPort {
  /** The first I/O port. */
  readonly port: number;
  /** The ISA interrupt, 1 to 15; edge-triggered. */
  readonly irq: number;
}

/** A keyboard controller at ports 0x60 and 0x64. The keyboard has IRQ 1. */
export interface KeyboardController {
  /** Whether there is a mouse, too, with IRQ 12. */
  readonly mouse?: boolean | undefined;
}

/** A clock with CMOS memory at ports 0x70 and 0x71, and IRQ 8. */
export interface Clock {
  /** The CMOS register that has the century in BCD, or 0 for none; 0x32 by default. */
  readonly century?: number | undefined;
}

/** QEMU's way to hand data to firmware and kernel (fw_cfg). */
export interface FirmwareConfig {
  /** The first of 12 I/O ports; 0x510 by default. */
  readonly port?: number | undefined;
}

/** The fixed hardware of ACPI: registers of power management, and where the machine is reset. */
export interface PowerManagement {
  /** The first of 4 I/O ports of the PM1a event block; 0x600 by default. */
  readonly eventPort?: number | undefined;
  /** The first of 2 I/O ports of the PM1a control block; 0x604 by default. */
  readonly controlPort?: number | undefined;
  /** The first of 4 I/O ports of the PM timer; 0x608 by default. */
  readonly timerPort?: number | undefined;
  /** How many bits of the PM timer count; 32 by default. */
  readonly timerBits?: 24 | 32 | undefined;
  /** What a kernel writes to SLP_TYP of the control block to switch the machine off: 0 to 7. */
  readonly sleepTypeS5: number;
  /** The I/O port that resets the machine; 0xcf9 by default. */
  readonly resetPort?: number | undefined;
  /** What is written there; 6 by default. */
  readonly resetValue?: number | undefined;
}

/** A virtio device whose registers are in memory (virtio 1.2, 4.2). */
export interface VirtioMmio {
  /** The first guest-physical address, below 4 GiB. */
  readonly address: number;
  /** Bytes. */
  readonly size: number;
  /** The I/O APIC's pin, 1 to 23; pin 2 is the PIT's. */
  readonly irq: number;
  /** `"level"` by default. */
  readonly trigger?: Trigger | undefined;
}

/** What the MP table says of every processor: what CPUID leaf 1 has. */
export interface ProcessorSignature {
  /** EAX: family, model, stepping; family 6 by default. */
  readonly signature?: number | undefined;
  /** EDX: features; FPU and APIC by default. */
  readonly features?: number | undefined;
}

/** A machine as a kernel has to know it. What is left out does not exist. */
export interface FirmwareDescription {
  /** The ids of the processors' local APICs, the boot processor's first. */
  readonly apicIds: readonly number[];
  /**
   * The I/O APIC's id, 0 to 254: 0 by default, as KVM's own has it. Kernels accept that a processor
   * has the same one.
   */
  readonly ioApicId?: number | undefined;
  /** What the MP table says of every processor. */
  readonly processor?: ProcessorSignature | undefined;
  /** The serial ports, COM1 first. */
  readonly serialPorts?: readonly SerialPort[] | undefined;
  /** The keyboard controller. */
  readonly i8042?: KeyboardController | undefined;
  /** The clock. */
  readonly rtc?: Clock | undefined;
  /** fw_cfg. */
  readonly fwCfg?: FirmwareConfig | undefined;
  /** Power management. */
  readonly pm: PowerManagement;
  /** Whether a PC's video memory is there; by default it is not, and kernels don't look for it. */
  readonly vga?: boolean | undefined;
  /** Virtio devices. */
  readonly virtioMmio?: readonly VirtioMmio[] | undefined;
}

const DESCRIPTION: Names<FirmwareDescription> = {
  apicIds: true,
  ioApicId: true,
  processor: true,
  serialPorts: true,
  i8042: true,
  rtc: true,
  fwCfg: true,
  pm: true,
  vga: true,
  virtioMmio: true,
};
const PROCESSOR: Names<ProcessorSignature> = { signature: true, features: true };
const SERIAL_PORT: Names<SerialPort> = { port: true, irq: true };
const I8042: Names<KeyboardController> = { mouse: true };
const RTC: Names<Clock> = { century: true };
const FW_CFG: Names<FirmwareConfig> = { port: true };
const PM: Names<PowerManagement> = {
  eventPort: true,
  controlPort: true,
  timerPort: true,
  timerBits: true,
  sleepTypeS5: true,
  resetPort: true,
  resetValue: true,
};
const VIRTIO_MMIO: Names<VirtioMmio> = { address: true, size: true, irq: true, trigger: true };

/** A local APIC's highest id: all ones is a broadcast (SDM volume 3, "ICR Operation in x2APIC Mode"). */
const LAST_APIC_ID = 0xffff_fffe;

/**
 * Refuses a description that tables can't tell.
 *
 * @throws {KvmError} EINVAL
 */
export function checkDescription(operation: string, description: FirmwareDescription): void {
  const check = (what: string, value: number | undefined, low: number, high: number) => {
    if (value !== undefined) checkInteger(operation, what, value, low, high);
  };
  const ports = (what: string, first: number | undefined, count: number) =>
    check(`${what}'s first port`, first, 1, 0x1_0000 - count);

  const part = <T extends object>(what: string, value: T | undefined, names: Names<T>) => {
    if (value !== undefined) checkNames(operation, what, value, names);
  };

  checkNames(operation, "A machine", description, DESCRIPTION);
  const { apicIds, ioApicId, processor, i8042, rtc, fwCfg, pm } = description;
  const { serialPorts = [], virtioMmio = [] } = description;
  part("processor", processor, PROCESSOR);
  part("i8042", i8042, I8042);
  part("rtc", rtc, RTC);
  part("fwCfg", fwCfg, FW_CFG);
  checkNames(operation, "pm", pm, PM);
  checkList(operation, "apicIds", apicIds);
  checkList(operation, "serialPorts", serialPorts);
  checkList(operation, "virtioMmio", virtioMmio);
  if (apicIds.length === 0) throw invalid(operation, "A machine has a processor at least");
  for (const id of apicIds) checkInteger(operation, "An APIC's id", id, 0, LAST_APIC_ID);
  if (new Set(apicIds).size !== apicIds.length) {
    throw invalid(operation, "Every processor's APIC has an id of its own");
  }
  check("The I/O APIC's id", ioApicId, 0, 254);
  check("A processor's signature", processor?.signature, 0, 0xffff_ffff);
  check("A processor's features", processor?.features, 0, 0xffff_ffff);
  for (const serialPort of serialPorts) {
    checkNames(operation, "A serial port", serialPort, SERIAL_PORT);
    const { port, irq } = serialPort;
    ports("A serial port", port, 8);
    checkInteger(operation, "A serial port's IRQ", irq, 1, 15);
  }
  check("The century's register", rtc?.century, 0, 127);
  ports("fw_cfg", fwCfg?.port, PORT_COUNT.FW_CFG);
  ports("The PM1a event block", pm.eventPort, 4);
  ports("The PM1a control block", pm.controlPort, 2);
  ports("The PM timer", pm.timerPort, 4);
  ports("The reset register", pm.resetPort, 1);
  check("The reset register's value", pm.resetValue, 0, 255);
  checkInteger(operation, "SLP_TYP", pm.sleepTypeS5, 0, 7);
  for (const device of virtioMmio) {
    checkNames(operation, "A virtio device", device, VIRTIO_MMIO);
    const { address, size, irq } = device;
    checkInteger(operation, "A virtio device's size", size, 0x100, 0xffff_ffff);
    checkInteger(operation, "A virtio device's address", address, 0, 0x1_0000_0000 - size);
    checkInteger(operation, "A virtio device's IRQ", irq, 1, IO_APIC_PINS - 1);
    if (irq === PIT_PIN) throw invalid(operation, `Pin ${PIT_PIN} of the I/O APIC is the PIT's`);
  }
}
