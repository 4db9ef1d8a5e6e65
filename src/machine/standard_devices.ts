/**
 * The devices that a machine has on main's thread: they reach into memory, or call the user.
 *
 * @module
 */

import { monotonicMilliseconds } from "../../ffi/mod.ts";
import { BootTimer, FW_CFG_KEY, FwCfg } from "../devices/mod.ts";
import { BOOT_TIMER, Port, PORT_COUNT } from "../firmware/mod.ts";
import type { GuestMemory } from "../memory/mod.ts";
import type { MainDevices } from "./main_devices.ts";
import type { MachineOptions } from "./options.ts";

const BOOT_TIMER_BYTES = 0x1000;

/** What they are told. */
export interface StandardDevicesInit extends Pick<MachineOptions, "fwCfg" | "onBootTimer"> {
  /** Bytes of RAM. */
  readonly ramBytes: number;
  /** How many vCPUs. */
  readonly cpus: number;
}

/** Puts them to their places; the boot timer counts from its reset on. */
export function addStandardDevices(
  devices: MainDevices,
  memory: GuestMemory,
  { fwCfg, onBootTimer, ramBytes, cpus }: StandardDevicesInit,
): BootTimer {
  const timer = new BootTimer({
    clock: monotonicMilliseconds,
    report: (milliseconds, point) => devices.watch(onBootTimer?.(milliseconds, point)),
  });
  devices.mapMmio(BOOT_TIMER, BOOT_TIMER_BYTES, timer);
  if (fwCfg !== undefined) {
    const device = createFwCfg(memory, { ramBytes, cpus, files: fwCfg });
    devices.mapPorts(Port.FW_CFG, PORT_COUNT.FW_CFG, device);
  }
  return timer;
}

/** What fw_cfg has to tell. */
interface FwCfgContents {
  /** Bytes of RAM. */
  readonly ramBytes: number;
  /** How many vCPUs. */
  readonly cpus: number;
  /** Files, by name. */
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/** Makes the device; its DMA reaches all of the guest's memory, and nothing else. */
function createFwCfg(memory: GuestMemory, contents: FwCfgContents): FwCfg {
  const { ramBytes, cpus, files } = contents;
  const device = new FwCfg({ memory });
  device.set(FW_CFG_KEY.RAM_SIZE, new Uint8Array(BigUint64Array.of(BigInt(ramBytes)).buffer));
  device.set(FW_CFG_KEY.NB_CPUS, Uint8Array.of(cpus, cpus >> 8));
  device.set(FW_CFG_KEY.MAX_CPUS, Uint8Array.of(cpus, cpus >> 8));
  for (const [name, bytes] of Object.entries(files)) device.add(name, bytes);
  return device;
}
