/**
 * Memory mapped into this process, as one ArrayBuffer.
 *
 * @module
 */

import { cString } from "./address.ts";
import { isName } from "./check.ts";
import { Errno } from "./errno.ts";
import { KvmError } from "./errors.ts";
import { called, closedError, Fd } from "./fd.ts";
import {
  blank,
  MAP_ANONYMOUS,
  MAP_HUGETLB,
  MAP_NORESERVE,
  MAP_PRIVATE,
  MAP_SHARED,
  mmap,
  mmapAligned,
  munmap,
} from "./mmap.ts";
import { releaseRetired, retire } from "./retired.ts";
import { type Attempt, syscall, syscallWithBuffer } from "./syscall.ts";

/** The size of a page, and of what memory is mapped in, in bytes. */
export const PAGE_SIZE = 4096;

/**
 * Which pages back a mapping: small ones, small ones that the kernel may join (`madvise`), or
 * reserved huge ones (hugetlbfs).
 */
export type HugePages = "none" | "transparent" | "2M" | "1G";

/** How to map fresh memory. */
export interface MappingOptions {
  /** Kinds of pages; `"none"` by default. */
  readonly hugePages?: HugePages | undefined;
  /** Reserve swap for all of it now; by default memory is taken as it is touched. */
  readonly reserve?: boolean | undefined;
  /**
   * Where a guest sees it; 0 by default. KVM maps a huge page where both sides of it begin in one, so
   * the mapping lies to huge pages as this address does.
   */
  readonly guestPhysAddr?: number | undefined;
}

// uapi asm-generic/mman-common.h, linux/memfd.h
const MADV_HUGEPAGE = 14n;
const MFD_CLOEXEC = 1n;
const MFD_ALLOW_SEALING = 2n;
const MFD_HUGETLB = 4n;
// uapi linux/fcntl.h
const F_ADD_SEALS = 1033n;
const F_SEAL_SEAL = 1n;
const F_SEAL_SHRINK = 2n;
const F_SEAL_GROW = 4n;
/** log2 of the page size, in the bits that both mmap and memfd_create use for it. */
const hugeSize = { "2M": 21n << 26n, "1G": 30n << 26n };
const hugeBytes = { none: PAGE_SIZE, transparent: PAGE_SIZE, "2M": 2 ** 21, "1G": 2 ** 30 };

// The buffer is in users' hands, and so are its properties: these are the language's own.
const isDetached = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, "detached")!.get!;
const { transfer } = ArrayBuffer.prototype;

/** A range of this process's memory; unmapped once, by `close` or at the end of a `using` block. */
export class Mapping implements Disposable {
  /** Bytes. */
  readonly size: number;
  /** What it is, for errors. */
  readonly what: string;
  /** The memfd behind it, if there is one. */
  readonly fd: Fd | undefined;
  #buffer: ArrayBuffer | undefined;
  readonly #address: bigint;
  /** Whether anyone has got the buffer, and may have given it to the runtime. */
  #shown = false;

  private constructor(address: bigint, size: number, what: string, fd?: Fd) {
    this.#buffer = bufferAt(address, size, what);
    this.#address = address;
    this.size = size;
    this.what = what;
    this.fd = fd;
  }

  /** Fresh zeroed memory that only this process sees. */
  static anonymous(size: number, what: string, options: MappingOptions = {}): Mapping {
    const { hugePages = "none", reserve = false } = options;
    const attempt = attemptOf(size, what, hugePages);
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | reservation(hugePages, reserve);
    if (isReserved(hugePages)) flags |= MAP_HUGETLB | hugeSize[hugePages];
    const mapping = new Mapping(mapFresh(attempt, size, flags, options), size, what);
    if (hugePages === "transparent") mapping.#advise(MADV_HUGEPAGE);
    return mapping;
  }

  /** Fresh zeroed memory behind a memfd, which other mappings and processes can share. */
  static memfd(size: number, what: string, options: MappingOptions = {}): Mapping {
    const { hugePages = "none", reserve = false } = options;
    const attempt = attemptOf(size, what, hugePages);
    let memfdFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    if (isReserved(hugePages)) memfdFlags |= MFD_HUGETLB | hugeSize[hugePages];
    const number = syscallWithBuffer("memfd_create", attempt, cString("kvm-guest"), memfdFlags);
    const fd = new Fd(Number(number), what);
    try {
      syscall("ftruncate", attempt, number, BigInt(size));
      // Whoever shares it could shrink it, and to touch what is gone is SIGBUS.
      syscall("fcntl", attempt, number, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
      const flags = MAP_SHARED | reservation(hugePages, reserve);
      const address = mapFresh(attempt, size, flags, options, number);
      const mapping = new Mapping(address, size, what, fd);
      if (hugePages === "transparent") mapping.#advise(MADV_HUGEPAGE);
      return mapping;
    } catch (error) {
      fd.close();
      throw error;
    }
  }

  /** Memory that the kernel shares through a file descriptor: a vCPU's run page. */
  static shared(fd: Fd, size: number, what: string, offset = 0): Mapping {
    const attempt = { operation: `map ${called(what)}` };
    const address = withRetired(() =>
      mmap(attempt, size, MAP_SHARED, BigInt(fd.number), BigInt(offset))
    );
    return new Mapping(address, size, what);
  }

  /** The memory. Views of it have length 0 once the mapping is closed. */
  get buffer(): ArrayBuffer {
    if (this.#buffer === undefined) throw closedError(`use ${called(this.what)}`, this.what);
    this.#shown = true;
    return this.#buffer;
  }

  /** Where it lies in this process: for the kernel's structs that want an address. */
  get address(): bigint {
    if (this.#buffer === undefined) throw closedError(`use ${called(this.what)}`, this.what);
    return this.#address;
  }

  /** Whether it has been unmapped. */
  get closed(): boolean {
    return this.#buffer === undefined;
  }

  /**
   * Detaches every view, then gives the memory back, and its addresses {@link ./retired.ts later}; the
   * second time does nothing.
   */
  close(): void {
    if (this.#buffer === undefined) return;
    const buffer = this.#buffer;
    this.#buffer = undefined;
    const attempt = { operation: `unmap ${called(this.what)}` };
    if (isDetached.call(buffer)) {
      // Someone transferred the buffer, and holds views that can't be found from here. They keep
      // the addresses for good.
      blank(attempt, this.#address, this.size);
    } else {
      // Of no byte: a whole one would count as garbage of the mapping's size until it is collected.
      transfer.call(buffer, 0);
      if (this.#shown) retire(this.#address, this.size);
      else munmap(attempt, this.#address, this.size);
    }
    this.fd?.close();
  }

  /** {@linkcode close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #advise(advice: bigint): void {
    const attempt = {
      operation: `ask for transparent huge pages for ${called(this.what)}`,
      hint: "The kernel has none: leave hugePages out",
    };
    try {
      syscall("madvise", attempt, this.#address, BigInt(this.size), advice);
    } catch (error) {
      this.close();
      throw error;
    }
  }
}

function isReserved(hugePages: HugePages): hugePages is keyof typeof hugeSize {
  return Object.hasOwn(hugeSize, hugePages);
}

/** Reserved huge pages must be there when mapped: to touch one that is not is SIGBUS. */
function reservation(hugePages: HugePages, reserve: boolean): bigint {
  return reserve || isReserved(hugePages) ? 0n : MAP_NORESERVE;
}

/** A mapping that no ArrayBuffer can show is given back. */
function bufferAt(address: bigint, size: number, what: string): ArrayBuffer {
  const operation = `show ${size} bytes of ${what} as an ArrayBuffer`;
  try {
    const pointer = Deno.UnsafePointer.create(address);
    if (pointer === null) throw new RangeError("mapped at address 0");
    return Deno.UnsafePointerView.getArrayBuffer(pointer, size);
  } catch (cause) {
    munmap({ operation }, address, size);
    const hint = `${cause instanceof Error ? cause.message : cause}; ask for less`;
    throw new KvmError({ operation, errno: Errno.ENOMEM, hint });
  }
}

/** Maps memory of {@linkcode MappingOptions}. */
function mapFresh(
  attempt: Attempt,
  size: number,
  flags: bigint,
  { hugePages = "none", guestPhysAddr = 0 }: MappingOptions,
  fd?: bigint,
): bigint {
  const alignment = hugeBytes["2M"];
  // The kernel aligns reserved huge pages itself, and smaller memory has no use for it.
  if (!isReserved(hugePages) && size >= alignment) {
    try {
      return mmapAligned(attempt, size, flags, fd, alignment, guestPhysAddr % alignment);
    } catch (error) {
      if (!isShort(error)) throw error;
      // Where addresses or mappings are short, it is slower memory, and memory still.
    }
  }
  return withRetired(() => mmap(attempt, size, flags, fd));
}

/** Whether there was too little of something. */
function isShort(error: unknown): boolean {
  return error instanceof KvmError && error.errno === Errno.ENOMEM;
}

/** May take the addresses of closed memory if there are no others. */
function withRetired(map: () => bigint): bigint {
  try {
    return map();
  } catch (error) {
    if (!isShort(error) || !releaseRetired()) throw error;
    return map();
  }
}

function attemptOf(size: number, what: string, hugePages: HugePages): Attempt {
  const operation = `map ${size} bytes for ${called(what)}`;
  const multiple = isName(hugeBytes, hugePages) ? hugeBytes[hugePages] : undefined;
  if (multiple === undefined) {
    const hint = 'hugePages is "none", "transparent", "2M" or "1G"';
    throw new KvmError({ operation, errno: Errno.EINVAL, hint });
  }
  if (!Number.isSafeInteger(size) || size <= 0 || size % multiple !== 0) {
    const hint = `The size is a positive multiple of ${multiple} bytes`;
    throw new KvmError({ operation, errno: Errno.EINVAL, hint });
  }
  return {
    operation,
    hint: isReserved(hugePages)
      ? `Reserve huge pages first (sysctl vm.nr_hugepages), or leave hugePages out`
      : "The host has too little memory or address space (ulimit -v) for it, or the process has " +
        "too many mappings (sysctl vm.max_map_count)",
  };
}
