/**
 * Reading and writing guest memory by guest-physical address.
 *
 * @module
 */

import {
  byteLengthOf,
  checkInteger,
  Errno,
  KvmError,
  show,
  sizeOf,
  type StructOf,
  type Table,
  view,
} from "../../ffi/mod.ts";

/** A stretch of guest memory that is contiguous in the host, too. */
export interface Place {
  /** The first guest-physical address. */
  readonly guestPhysAddr: number;
  /** The first address behind it. */
  readonly end: number;
  /** The memory. */
  readonly all: Uint8Array<ArrayBuffer>;
  /** The memory, for integers of any alignment. */
  readonly dataView: DataView<ArrayBuffer>;
}

/** A typed array's class, for {@linkcode MemoryAccess.array}. */
export interface TypedArrayConstructor<A> {
  /** Bytes of an element. */
  readonly BYTES_PER_ELEMENT: number;
  /** Makes a view. */
  new (buffer: ArrayBuffer, byteOffset: number, length: number): A;
}

const utf8 = new TextEncoder();
const nothing = new DataView(new ArrayBuffer(0));

/**
 * What {@linkcode MemorySlot} and {@linkcode GuestMemory} have in common. Addresses are
 * guest-physical; integers are little-endian and of any alignment; every access is checked, and one
 * outside throws a `KvmError` with code `EFAULT`.
 */
export abstract class MemoryAccess {
  // Where the last integer was: the next one is most often there, too, and costs no search.
  #start = 0;
  #size = 0;
  #view: DataView<ArrayBuffer> = nothing;

  /** The place that holds the whole range, if one does. */
  protected abstract find(address: number, length: number): Place | undefined;

  /** Throws the error for a range that is not, or not all, guest memory. */
  protected abstract fail(operation: string, address: number, length: number): never;

  /** Reads 8 bits. */
  readU8(address: number): number {
    const offset = this.#offset(address, 1);
    if (offset < 0) return this.fail("read memory", address, 1);
    try {
      return this.#view.getUint8(offset);
    } catch (error) {
      throw this.#lost(error, "read memory", address);
    }
  }

  /** Reads 16 bits. */
  readU16(address: number): number {
    const offset = this.#offset(address, 2);
    if (offset < 0) return this.#gather(address, 2).getUint16(0, true);
    try {
      return this.#view.getUint16(offset, true);
    } catch (error) {
      throw this.#lost(error, "read memory", address);
    }
  }

  /** Reads 32 bits. */
  readU32(address: number): number {
    const offset = this.#offset(address, 4);
    if (offset < 0) return this.#gather(address, 4).getUint32(0, true);
    try {
      return this.#view.getUint32(offset, true);
    } catch (error) {
      throw this.#lost(error, "read memory", address);
    }
  }

  /** Reads 64 bits. */
  readU64(address: number): bigint {
    const offset = this.#offset(address, 8);
    if (offset < 0) return this.#gather(address, 8).getBigUint64(0, true);
    try {
      return this.#view.getBigUint64(offset, true);
    } catch (error) {
      throw this.#lost(error, "read memory", address);
    }
  }

  /** Writes the low 8 bits of a number. */
  writeU8(address: number, value: number): void {
    if (typeof value !== "number") throw wrongValue(address, value, "a number");
    const offset = this.#offset(address, 1);
    if (offset < 0) return this.fail("write memory", address, 1);
    try {
      this.#view.setUint8(offset, value);
    } catch (error) {
      throw this.#lost(error, "write memory", address);
    }
  }

  /** Writes the low 16 bits of a number. */
  writeU16(address: number, value: number): void {
    if (typeof value !== "number") throw wrongValue(address, value, "a number");
    const offset = this.#offset(address, 2);
    if (offset < 0) return this.#scatter(address, 2, BigInt(value >>> 0));
    try {
      this.#view.setUint16(offset, value, true);
    } catch (error) {
      throw this.#lost(error, "write memory", address);
    }
  }

  /** Writes the low 32 bits of a number. */
  writeU32(address: number, value: number): void {
    if (typeof value !== "number") throw wrongValue(address, value, "a number");
    const offset = this.#offset(address, 4);
    if (offset < 0) return this.#scatter(address, 4, BigInt(value >>> 0));
    try {
      this.#view.setUint32(offset, value, true);
    } catch (error) {
      throw this.#lost(error, "write memory", address);
    }
  }

  /** Writes the low 64 bits of a bigint. */
  writeU64(address: number, value: bigint): void {
    if (typeof value !== "bigint") throw wrongValue(address, value, "a bigint: 4096n");
    const offset = this.#offset(address, 8);
    if (offset < 0) return this.#scatter(address, 8, value);
    try {
      this.#view.setBigUint64(offset, value, true);
    } catch (error) {
      throw this.#lost(error, "write memory", address);
    }
  }

  /** Copies bytes out. */
  readBytes(address: number, length: number): Uint8Array<ArrayBuffer> {
    checkLength("read memory", length);
    const place = this.#find(address, length);
    if (place !== undefined) {
      const start = address - place.guestPhysAddr;
      return place.all.slice(start, start + length);
    }
    this.#need("read memory", address, length);
    const bytes = new Uint8Array(length);
    this.#pieces(address, length, (piece, at) => bytes.set(piece, at));
    return bytes;
  }

  /** Copies bytes in. Nothing is written if the range is not all guest memory. */
  writeBytes(address: number, bytes: Uint8Array): void {
    if (!(bytes instanceof Uint8Array)) throw wrongValue(address, bytes, "a Uint8Array");
    const { length } = bytes;
    const place = this.#find(address, length);
    if (place !== undefined) return place.all.set(bytes, address - place.guestPhysAddr);
    this.#need("write memory", address, length);
    this.#pieces(address, length, (piece, at) => {
      piece.set(bytes.subarray(at, at + piece.length));
    });
  }

  /** Sets every byte of a range. */
  fill(address: number, length: number, value = 0): void {
    checkLength("fill memory", length);
    if (typeof value !== "number") throw wrongValue(address, value, "a number");
    const place = this.#find(address, length);
    if (place !== undefined) {
      const start = address - place.guestPhysAddr;
      place.all.fill(value, start, start + length);
      return;
    }
    this.#need("fill memory", address, length);
    this.#pieces(address, length, (piece) => piece.fill(value));
  }

  /** Copies within guest memory, as if through a buffer: the ranges may overlap. */
  copy(from: number, to: number, length: number): void {
    checkLength("copy memory", length);
    const source = this.#find(from, length);
    const target = this.#find(to, length);
    if (source !== undefined && target === source) {
      const start = from - source.guestPhysAddr;
      source.all.copyWithin(to - source.guestPhysAddr, start, start + length);
    } else {
      this.writeBytes(to, this.readBytes(from, length));
    }
  }

  /**
   * Reads UTF-8 text up to a zero byte.
   *
   * @param limit Bytes to read at most, the zero included.
   * @throws {KvmError} ERANGE if there is no zero within the limit.
   */
  readString(address: number, limit = 4096): string {
    const operation = `read a string at ${show(address)}`;
    checkLength(operation, limit);
    if (!Number.isSafeInteger(address)) return this.fail("read a string", address, 1);
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    let text = "";
    for (let at = address; at < address + limit;) {
      const place = this.#find(at, 1);
      if (place === undefined) return this.fail("read a string", at, 1);
      const start = at - place.guestPhysAddr;
      const end = Math.min(place.end, address + limit) - place.guestPhysAddr;
      const bytes = place.all.subarray(start, end);
      const zero = bytes.indexOf(0);
      if (zero >= 0) return text + decoder.decode(bytes.subarray(0, zero));
      text += decoder.decode(bytes, { stream: true });
      at = place.guestPhysAddr + end;
    }
    const hint = `There is no zero within ${limit} bytes: raise the limit`;
    throw new KvmError({ operation, errno: Errno.ERANGE, hint });
  }

  /** Writes text as UTF-8 and a zero byte; the number of bytes, the zero included. */
  writeString(address: number, text: string): number {
    if (typeof text !== "string") throw wrongValue(address, text, "a string");
    const bytes = utf8.encode(`${text}\0`);
    this.writeBytes(address, bytes);
    return bytes.length;
  }

  /** Bytes in place: reads and writes go to guest memory. The range lies within one slot. */
  bytes(address: number, length: number): Uint8Array<ArrayBuffer> {
    checkLength("view memory", length);
    const { place, start } = this.#within("view memory", address, length);
    return place.all.subarray(start, start + length);
  }

  /**
   * A typed array in place, for loops over many elements. The range lies within one slot.
   *
   * @throws {KvmError} EINVAL if the address is no multiple of the element's size.
   */
  array<A>(type: TypedArrayConstructor<A>, address: number, length: number): A {
    const operation = `view memory at ${show(address)} as ${show(length)} elements`;
    checkLength(operation, length);
    checkArrayType(operation, type);
    const { place, start } = this.#within(operation, address, length * type.BYTES_PER_ELEMENT);
    if (start % type.BYTES_PER_ELEMENT !== 0) {
      const hint = `The address must be a multiple of ${type.BYTES_PER_ELEMENT}`;
      throw new KvmError({ operation, errno: Errno.EINVAL, hint });
    }
    return new type(place.all.buffer, start, length);
  }

  /**
   * A struct in place, from its table. The range lies within one slot.
   *
   * @param count Elements of its flexible array.
   */
  struct<const T extends Table>(table: T, address: number, count = 0): StructOf<T> {
    const elements = "The number of elements";
    checkInteger("view a struct", elements, count, 0, Number.MAX_SAFE_INTEGER);
    const { place, start } = this.#within("view a struct", address, sizeOf(table, count));
    return view(table, place.all.buffer, start, count);
  }

  #within(operation: string, address: number, length: number): { place: Place; start: number } {
    const place = this.#find(address, length);
    if (place === undefined) {
      if (length === 0) return this.fail(operation, address, length);
      this.#need(operation, address, length);
      const hint = "It crosses from one slot into the next: copy it with readBytes and writeBytes";
      throw new KvmError({ operation, errno: Errno.EFAULT, hint });
    }
    return { place, start: address - place.guestPhysAddr };
  }

  /** What a view's own error means: it has no other reason to throw. */
  #lost(error: unknown, operation: string, address: number): unknown {
    return this.#view.buffer.detached ? taken(operation, address) : error;
  }

  /** The place that holds the whole range, whose memory must still be there. */
  #find(address: number, length: number): Place | undefined {
    const place = this.find(address, length);
    // Removed slots are found by nobody: only a transfer leaves them without a byte.
    if (place !== undefined && byteLengthOf(place.all) === 0) throw taken("use memory", address);
    return place;
  }

  /** Where a range lies in the last place; -1 if no single place holds it. */
  #offset(address: number, length: number): number {
    // A bigint would be a TypeError of the subtraction's.
    const offset = typeof address === "number" ? address - this.#start : -1;
    return offset >= 0 && offset + length <= this.#size && Number.isSafeInteger(offset)
      ? offset
      : this.#locate(address, length);
  }

  /** The same after a search, which makes the place found the last one. */
  #locate(address: number, length: number): number {
    const place = this.#find(address, length);
    if (place === undefined) return -1;
    this.#start = place.guestPhysAddr;
    this.#size = place.end - place.guestPhysAddr;
    this.#view = place.dataView;
    return address - this.#start;
  }

  /** Forgets the place of the last access: its memory is about to go. */
  protected forget(): void {
    this.#size = 0;
    this.#view = nothing;
  }

  /** Throws unless the whole range is guest memory. */
  #need(operation: string, address: number, length: number): void {
    if (!Number.isSafeInteger(address)) return this.fail(operation, address, length);
    if (length === 0 || this.#find(address, length) !== undefined) return;
    for (let at = address; at < address + length;) {
      const place = this.#find(at, 1);
      if (place === undefined) return this.fail(operation, address, length);
      at = place.end;
    }
  }

  #pieces(
    address: number,
    length: number,
    use: (piece: Uint8Array<ArrayBuffer>, at: number) => void,
  ): void {
    for (let done = 0; done < length;) {
      const at = address + done;
      const place = this.#find(at, 1);
      if (place === undefined) return this.fail("use memory", at, length - done);
      const start = at - place.guestPhysAddr;
      const count = Math.min(length - done, place.end - at);
      use(place.all.subarray(start, start + count), done);
      done += count;
    }
  }

  /** An integer that straddles two slots. */
  #gather(address: number, length: number): DataView<ArrayBuffer> {
    return new DataView(this.readBytes(address, length).buffer);
  }

  #scatter(address: number, length: number, value: bigint): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value, true);
    this.writeBytes(address, bytes.subarray(0, length));
  }
}

function checkArrayType(operation: string, type: TypedArrayConstructor<unknown>): void {
  const size = typeof type === "function" ? type.BYTES_PER_ELEMENT : 0;
  if (Number.isSafeInteger(size) && size > 0) return;
  const hint = `The type is a typed array's class, as Uint32Array, and not ${show(type)}`;
  throw new KvmError({ operation, errno: Errno.EINVAL, hint });
}

function checkLength(operation: string, length: number): void {
  if (Number.isSafeInteger(length) && length >= 0) return;
  const hint = `A length is a whole number from 0, not ${show(length)}`;
  throw new KvmError({ operation, errno: Errno.EINVAL, hint });
}

/** The bytes are somebody else's now; the guest has them still. */
function taken(operation: string, address: number): KvmError {
  return new KvmError({
    operation: `${operation} at 0x${address.toString(16)}`,
    errno: Errno.EFAULT,
    hint: "The slot's buffer was transferred away: leave slot.all.buffer where it is",
  });
}

function wrongValue(address: number, value: unknown, should: string): KvmError {
  const operation = `write ${show(value)} to memory at ${show(address)}`;
  return new KvmError({ operation, errno: Errno.EINVAL, hint: `What is written is ${should}` });
}
