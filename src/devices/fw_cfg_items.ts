/**
 * What a firmware configuration device has to say: items by key, and files by name.
 *
 * @module
 */

import { checkBytes, Errno, KvmError } from "../../ffi/mod.ts";
import { FW_CFG_KEY } from "./fw_cfg_registers.ts";

/** Bytes of a file's name in the directory, the zero at its end included. */
const NAME_SIZE = 56;
const ENTRY_SIZE = 64;
const COUNT_SIZE = 4;
/** Files have the generic keys up to bit 14. */
const MAX_FILES = FW_CFG_KEY.LIMIT - FW_CFG_KEY.FILE_FIRST;
const NOTHING = new Uint8Array(0);

/** The items; files get their keys by the order of their names. */
export class FwCfgItems {
  readonly #items = new Map<number, Uint8Array>();
  readonly #files = new Map<string, Uint8Array>();
  /** Whether files have their keys, and the directory has them. */
  #listed = false;

  /** The names of the files, in order. */
  get names(): string[] {
    return [...this.#files.keys()].sort(byBytes);
  }

  /** The item of a key, or no bytes. */
  get(key: number): Uint8Array {
    // Not with each file that is added: thousands of them would take many seconds.
    if (!this.#listed) this.#list();
    // Bit 14 was for writing, once.
    return this.#items.get(key & ~FW_CFG_KEY.LIMIT) ?? NOTHING;
  }

  /** Sets an item that has a key of its own. */
  set(key: number, bytes: Uint8Array): void {
    const plain = key & ~FW_CFG_KEY.ARCH_LOCAL;
    const reserved = key === FW_CFG_KEY.FILE_DIR ||
      (plain === key && plain >= FW_CFG_KEY.FILE_FIRST && plain < FW_CFG_KEY.LIMIT);
    if (!Number.isInteger(key) || key < 0 || plain >= FW_CFG_KEY.LIMIT || reserved) {
      throw new KvmError({
        operation: `set fw_cfg's item ${key}`,
        errno: Errno.EINVAL,
        hint: "Keys are 0 to 0x1f without 0x19, or 0x8000 to 0xbfff: files are added by name",
      });
    }
    checkBytes(`set fw_cfg's item ${key}`, "An item", bytes);
    this.#items.set(key, new Uint8Array(bytes));
  }

  /** Adds a file. */
  add(name: string, bytes: Uint8Array): void {
    const operation = `add the file "${name}" to fw_cfg`;
    // deno-lint-ignore no-control-regex -- a zero would end the name
    if (!/^[\x01-\x7f]+$/.test(name) || name.length >= NAME_SIZE) {
      const hint = `A name is 1 to ${NAME_SIZE - 1} ASCII characters`;
      throw new KvmError({ operation, errno: Errno.EINVAL, hint });
    }
    if (this.#files.has(name)) {
      const hint = "There is one of this name: choose another";
      throw new KvmError({ operation, errno: Errno.EEXIST, hint });
    }
    if (this.#files.size >= MAX_FILES) {
      const hint = `There are keys for ${MAX_FILES} files, and no more`;
      throw new KvmError({ operation, errno: Errno.ENOSPC, hint });
    }
    checkBytes(operation, "A file", bytes);
    this.#files.set(name, new Uint8Array(bytes));
    this.#listed = false;
  }

  #list(): void {
    const { names } = this;
    const encoder = new TextEncoder();
    const directory = new Uint8Array(COUNT_SIZE + names.length * ENTRY_SIZE);
    const view = new DataView(directory.buffer);
    view.setUint32(0, names.length);
    names.forEach((name, index) => {
      const key = FW_CFG_KEY.FILE_FIRST + index;
      const bytes = this.#files.get(name)!;
      const at = COUNT_SIZE + index * ENTRY_SIZE;
      view.setUint32(at, bytes.length);
      view.setUint16(at + 4, key);
      encoder.encodeInto(name, directory.subarray(at + 8, at + 8 + NAME_SIZE));
      this.#items.set(key, bytes);
    });
    this.#items.set(FW_CFG_KEY.FILE_DIR, directory);
    this.#listed = true;
  }
}

function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
