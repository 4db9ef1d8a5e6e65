/**
 * Real mode's interrupt vectors, and behind them no BIOS, but handlers that ask the machine for one
 * (SDM volume 3, "Interrupt and Exception Handling", of real-address mode).
 *
 * @module
 */

import { BIOS_HANDLERS, Port } from "./layout/mod.ts";
import type { TableMemory } from "./place.ts";

const VECTORS = 256;
/** Bytes of a vector: offset and segment. */
const VECTOR_SIZE = 4;
/** out SMI_COMMAND, al; iret; nop */
const HANDLER = [0xe6, Port.SMI_COMMAND, 0xcf, 0x90] as const;

/** Writes the vectors at address 0, and the handlers. */
export function writeInterruptVectors(memory: TableMemory): void {
  const vectors = new Uint16Array(VECTORS * 2);
  const handlers = new Uint8Array(VECTORS * HANDLER.length);
  for (let vector = 0; vector < VECTORS; vector++) {
    vectors[vector * 2] = vector * HANDLER.length;
    vectors[vector * 2 + 1] = BIOS_HANDLERS >> 4;
    handlers.set(HANDLER, vector * HANDLER.length);
  }
  memory.writeBytes(0, new Uint8Array(vectors.buffer, 0, VECTORS * VECTOR_SIZE));
  memory.writeBytes(BIOS_HANDLERS, handlers);
}

/** The vector whose handler an address is in, if it is in one. */
export function vectorAt(linear: bigint): number | undefined {
  const offset = Number(linear) - BIOS_HANDLERS;
  if (offset < 0 || offset >= VECTORS * HANDLER.length) return undefined;
  return Math.floor(offset / HANDLER.length);
}
