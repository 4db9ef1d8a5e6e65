/**
 * What a guest finds through fw_cfg.
 *
 * @module
 */

import { FW_CFG_KEY, FwCfg } from "../devices/mod.ts";
import type { GuestMemory } from "../memory/mod.ts";

/** What there is to tell. */
export interface FwCfgContents {
  /** Bytes of RAM. */
  readonly ramBytes: number;
  /** How many vCPUs. */
  readonly cpus: number;
  /** Files, by name. */
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/** Makes the device; its DMA reaches all of the guest's memory, and nothing else. */
export function createFwCfg(memory: GuestMemory, contents: FwCfgContents): FwCfg {
  const { ramBytes, cpus, files } = contents;
  const device = new FwCfg({
    memory: {
      read: (address, length) => memory.readBytes(address, length),
      write: (address, bytes) => memory.writeBytes(address, bytes),
    },
  });
  device.set(FW_CFG_KEY.RAM_SIZE, new Uint8Array(BigUint64Array.of(BigInt(ramBytes)).buffer));
  device.set(FW_CFG_KEY.NB_CPUS, Uint8Array.of(cpus, cpus >> 8));
  device.set(FW_CFG_KEY.MAX_CPUS, Uint8Array.of(cpus, cpus >> 8));
  for (const [name, bytes] of Object.entries(files)) device.add(name, bytes);
  return device;
}
