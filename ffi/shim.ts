/**
 * Loads the system-call shim and gives each shape of call its own symbol.
 *
 * Deno keeps a call on its fast path only if the arguments fit the declared types exactly: u64 is
 * always a BigInt here, and a request that takes no argument, a u32 or a buffer has a symbol of its
 * own. See `shim.asm` for why libc's `ioctl` is not used.
 *
 * @module
 */

import { Errno } from "./errno.ts";
import { KvmError } from "./errors.ts";
import { shim as shimBase64 } from "./shim_bytes.ts";

const symbols = {
  /** `ioctl(fd, request, 0)` */
  ioctl2: { parameters: ["i32", "u32"], result: "i32" },
  /** `ioctl(fd, request, argument)` with an address or any 64-bit value. */
  ioctlU64: { name: "ioctl3", parameters: ["i32", "u32", "u64"], result: "i32" },
  /** `ioctl(fd, request, &buffer)` */
  ioctlBuffer: { name: "ioctl3", parameters: ["i32", "u32", "buffer"], result: "i32" },
  /** `ioctl(fd, request, argument)` with an id, a number or a mask. */
  ioctlU32: { name: "ioctl3_u32", parameters: ["i32", "u32", "u32"], result: "i32" },
  /** `syscall(number, a, b, c)` */
  syscall3: { parameters: ["i32", "u64", "u64", "u64"], result: "i64" },
  /** `syscall(number, &buffer, a, b)`: open and memfd_create take a path or a name first. */
  syscallBuffer: { name: "syscall3", parameters: ["i32", "buffer", "u64", "u64"], result: "i64" },
  /** `syscall(number, fd, &buffer, length)`: read and write. */
  transfer: { name: "syscall3", parameters: ["i32", "u64", "buffer", "u64"], result: "i64" },
  /** `syscall(number, a, b, c, d, e, f)` */
  syscall6: {
    parameters: ["i32", "u64", "u64", "u64", "u64", "u64", "u64"],
    result: "i64",
  },
  /** `kick(&byte, tid, signal, &other)`: sets the byte, then interrupts the other thread or this. */
  kick: { parameters: ["u64", "i32", "i32", "u64"], result: "i32" },
  /** `kick_entry(&entry, generation, signal)`: kicks who has an entry of the table of `kick.ts`. */
  kickEntry: { name: "kick_entry", parameters: ["u64", "i32", "i32"], result: "i32" },
  /** `ioctl(fd, request, 0)` on a thread of the runtime's pool, which stores its id meanwhile. */
  ioctl2OnPool: {
    name: "ioctl2_as",
    parameters: ["i32", "u32", "u64"],
    result: "i32",
    nonblocking: true,
  },
  /** The same on a thread of the runtime's pool, for what may block. */
  syscall6OnPool: {
    name: "syscall6",
    parameters: ["i32", "u64", "u64", "u64", "u64", "u64", "u64"],
    result: "i64",
    nonblocking: true,
  },
  /**
   * Makes expired POSIX timers set the byte that their sigev_value points to; the address of the
   * process's table of {@link ./kick.ts}.
   */
  handleTimerSignal: { name: "handle_timer_signal", parameters: ["i32"], result: "i64" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The shim's functions; each returns the kernel's result, -errno on failure. */
export type Shim = Deno.StaticForeignLibraryInterface<typeof symbols>;

/**
 * Two copies of this library may live in one process, and the dynamic linker takes a library of the
 * same path for the same library: raise this whenever a symbol changes.
 */
const revision = 6;

let loaded: Shim | undefined;

/**
 * The shim, loaded on first use: importing the library asks for no permission and works anywhere.
 *
 * @throws {KvmError} ENOSYS on anything but x86-64 Linux.
 * @throws {Deno.errors.NotCapable} without `--allow-ffi`.
 */
export function shim(): Shim {
  return loaded ??= load();
}

function load(): Shim {
  const { os, arch } = Deno.build;
  if (os !== "linux" || arch !== "x86_64") {
    throw new KvmError({
      operation: `use KVM on ${os} ${arch}`,
      errno: Errno.ENOSYS,
      hint: "This library drives Linux KVM on x86-64; run it on such a host",
    });
  }
  const libc = Deno.dlopen("libc.so.6", {
    memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
    write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
    close: { parameters: ["i32"], result: "i32" },
  });
  const { memfd_create, write, close } = libc.symbols;
  const image = Uint8Array.from(atob(shimBase64), (character) => character.charCodeAt(0));
  const MFD_CLOEXEC = 1;
  const fd = memfd_create(new TextEncoder().encode("kvm-shim\0"), MFD_CLOEXEC);
  try {
    if (fd < 0 || write(fd, image, BigInt(image.length)) !== BigInt(image.length)) {
      throw new KvmError({
        operation: "load the system-call shim",
        errno: Errno.EMFILE,
        call: "memfd_create",
        hint: "Raise the limit of open files (ulimit -n) or close some",
      });
    }
    const path = `/proc/self/fd${"/".repeat(revision)}${fd}`;
    return Deno.dlopen(path, symbols).symbols;
  } finally {
    if (fd >= 0) close(fd);
    libc.close();
  }
}
