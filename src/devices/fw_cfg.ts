/**
 * QEMU's firmware configuration device, fw_cfg: items of bytes that a firmware asks for (QEMU's
 * documentation, "QEMU Firmware Configuration (fw_cfg) Device").
 *
 * ```
 * offset  read                       write
 * 0       -                          selector, 16 bits
 * 1       the item's next byte       -
 * 4       "QEMU"                     address of a DMA structure, big-endian, upper half
 * 8       " CFG"                     lower half; starts
 *
 * DMA structure, big-endian: control 32 bits, length 32 bits, address 64 bits
 * ```
 *
 * Nothing can be written to an item. A hostile guest has DMA reach any address, with any length:
 * memory says what it has, all else is the error bit. At most {@linkcode CHUNK} bytes are held at a
 * time, and a copy ends at the first address that is not there; yet a length of 4 GiB in a guest that
 * has them takes its time, as it would take the guest.
 *
 * @module
 */

import { create, KvmError, type StructOf } from "../../ffi/mod.ts";
import { OPEN_BYTE, openBus } from "./bytewise.ts";
import type { Device } from "./device.ts";
import { FwCfgItems } from "./fw_cfg_items.ts";
import { FW_CFG, FW_CFG_DMA, FW_CFG_ID, FW_CFG_KEY } from "./fw_cfg_registers.ts";

/** All that a {@linkcode FwCfg} remembers; the items are its configuration, and not among it. */
export const fwCfgState = {
  /** How many bytes of the item have been read. */
  position: "u32",
  /** The upper half of the DMA structure's address. */
  dmaHigh: "u32",
  /** The key of the selected item. */
  key: "u16",
} as const;

/**
 * The guest's memory, as DMA needs it and a `GuestMemory` is. What is not there throws a `KvmError` or
 * a RangeError.
 */
export interface DmaMemory {
  /** Bytes from a guest-physical address on. */
  readBytes(address: number, length: number): Uint8Array;
  /** Puts them there. */
  writeBytes(address: number, bytes: Uint8Array): void;
}

/** What a {@linkcode FwCfg} is connected to. */
export interface FwCfgWires {
  /** The guest's memory; without it, there is no DMA interface. */
  readonly memory?: DmaMemory | undefined;
}

/** Bytes that one step of a DMA operation copies. */
const CHUNK = 1 << 16;
const ACCESS_SIZE = 16;
const HIGH = 2 ** 32;
/** "QEMU" and " CFG" as a little-endian bus reads them. */
const DMA_SIGNATURE_HIGH = 0x554d_4551;
const DMA_SIGNATURE_LOW = 0x4746_4320;
const zeroes = new Uint8Array(CHUNK);

/**
 * The device.
 *
 * @example
 * ```ts
 * import { FwCfg, FW_CFG, FW_CFG_KEY } from "@deno-kvm/kvm/devices";
 *
 * const fwCfg = new FwCfg();
 * fwCfg.add("opt/org.example/greeting", new TextEncoder().encode("Hi"));
 * fwCfg.write(FW_CFG.SELECTOR, 2, FW_CFG_KEY.FILE_FIRST);
 * const bytes = [fwCfg.read(FW_CFG.DATA, 1), fwCfg.read(FW_CFG.DATA, 1)];
 * console.log(String.fromCharCode(...bytes)); // Hi
 * ```
 */
export class FwCfg implements Device {
  /** All that it remembers. */
  readonly state: StructOf<typeof fwCfgState>;
  readonly #items = new FwCfgItems();
  readonly #memory: DmaMemory | undefined;

  /**
   * With a state it goes on from there; without, from power-on. Devices over one state need the same
   * items.
   */
  constructor({ memory }: FwCfgWires = {}, state?: StructOf<typeof fwCfgState>) {
    this.#memory = memory;
    this.state = state ?? create(fwCfgState);
    const id = FW_CFG_ID.TRADITIONAL | (memory === undefined ? 0 : FW_CFG_ID.DMA);
    this.set(FW_CFG_KEY.SIGNATURE, new TextEncoder().encode("QEMU"));
    this.set(FW_CFG_KEY.ID, Uint8Array.of(id, 0, 0, 0));
  }

  /** The names of the files, in the order of their keys. */
  get files(): string[] {
    return this.#items.names;
  }

  /**
   * Adds a file. Files have keys from 0x20 on, sorted by name: add them all before the guest runs.
   *
   * @param name At most 55 ASCII characters: `"opt/org.example/name"` for one's own.
   * @throws {KvmError} EINVAL for a name that can't be, EEXIST for one that there is, ENOSPC for more
   * than 16,352 files.
   */
  add(name: string, bytes: Uint8Array): void {
    this.#items.add(name, bytes);
  }

  /**
   * Sets an item that is no file: one of {@linkcode FW_CFG_KEY}, little-endian, or one of an
   * architecture's own.
   *
   * @throws {KvmError} EINVAL for a key that can't be, or is a file's.
   */
  set(key: number, bytes: Uint8Array): void {
    this.#items.set(key, bytes);
  }

  /** Back to power-on: the signature is selected. */
  reset(): void {
    const { state } = this;
    state.key = state.position = state.dmaHigh = 0;
  }

  /** The guest reads the item's next byte, or looks for DMA; elsewhere all ones. */
  read(offset: number, size: number): number {
    if (offset === FW_CFG.DATA) return size === 1 ? this.#next() : openBus(size);
    if (this.#memory !== undefined && offset >= FW_CFG.DMA_HIGH && offset < FW_CFG.DMA_LOW + 4) {
      return dmaSignature(offset - FW_CFG.DMA_HIGH, size);
    }
    return openBus(size);
  }

  /** The guest selects an item, or starts a DMA operation. */
  write(offset: number, size: number, value: number): void {
    const { state } = this;
    if (offset === FW_CFG.SELECTOR && size === 2) this.#select(value);
    else if (this.#memory !== undefined && size === 4) {
      if (offset === FW_CFG.DMA_HIGH) state.dmaHigh = swap(value);
      else if (offset === FW_CFG.DMA_LOW) {
        const address = state.dmaHigh * HIGH + swap(value);
        state.dmaHigh = 0;
        this.#transfer(this.#memory, address);
      }
    }
  }

  #select(key: number): void {
    this.state.key = key;
    this.state.position = 0;
  }

  #next(): number {
    const { state } = this;
    const item = this.#items.get(state.key);
    const { position } = state;
    if (position >= item.length) return 0;
    state.position = position + 1;
    return item[position]!;
  }

  #transfer(memory: DmaMemory, address: number): void {
    const access = attempt(() => memory.readBytes(address, ACCESS_SIZE), address, ACCESS_SIZE);
    if (access === undefined || access.length !== ACCESS_SIZE) return;
    const view = new DataView(access.buffer, access.byteOffset, ACCESS_SIZE);
    const control = view.getUint32(0);
    const length = view.getUint32(4);
    const target = view.getUint32(8) * HIGH + view.getUint32(12);
    if ((control & FW_CFG_DMA.SELECT) !== 0) this.#select(control >>> 16);
    let done = true;
    if ((control & FW_CFG_DMA.READ) !== 0) done = this.#copy(memory, target, length);
    else if ((control & FW_CFG_DMA.WRITE) !== 0) done = false;
    else if ((control & FW_CFG_DMA.SKIP) !== 0) this.#skip(length);
    const result = Uint8Array.of(0, 0, 0, done ? 0 : FW_CFG_DMA.ERROR);
    attempt(() => memory.writeBytes(address, result), address, result.length);
  }

  /** Copies from the item, and zeroes beyond its end; whether all of it arrived. */
  #copy(memory: DmaMemory, target: number, length: number): boolean {
    const { state } = this;
    const item = this.#items.get(state.key);
    for (let done = 0; done < length;) {
      const rest = item.length - state.position;
      const count = Math.min(length - done, CHUNK, rest > 0 ? rest : CHUNK);
      const bytes = rest > 0
        ? item.subarray(state.position, state.position + count)
        : zeroes.subarray(0, count);
      const at = target + done;
      const written = attempt(() => (memory.writeBytes(at, bytes), true), at, count);
      if (written === undefined) return false;
      if (rest > 0) this.#skip(count);
      done += count;
    }
    return true;
  }

  /** The position stays at the item's end once it is there. */
  #skip(count: number): void {
    const { state } = this;
    state.position = Math.min(state.position + count, this.#items.get(state.key).length);
  }
}

/** An access to memory that may not be there; undefined if it is not. */
function attempt<T>(access: () => T, address: number, length: number): T | undefined {
  if (!Number.isSafeInteger(address + length)) return undefined;
  try {
    return access();
  } catch (error) {
    if (error instanceof KvmError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function dmaSignature(offset: number, size: number): number {
  let value = 0;
  for (let at = 0; at < size && at < 4; at++) {
    const place = offset + at;
    const half = place < 4 ? DMA_SIGNATURE_HIGH : DMA_SIGNATURE_LOW;
    const byte = place < 8 ? half >>> 8 * (place & 3) & 0xff : OPEN_BYTE;
    value |= byte << 8 * at;
  }
  return value >>> 0;
}

/** The four bytes in the opposite order: the register is big-endian on a little-endian bus. */
function swap(value: number): number {
  return (value << 24 | (value & 0xff00) << 8 | value >>> 8 & 0xff00 | value >>> 24) >>> 0;
}
