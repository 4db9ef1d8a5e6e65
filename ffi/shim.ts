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

/** What programs call by the thousand. */
const compiled = {
  /** `ioctl(fd, request, 0)` */
  ioctl2: { parameters: ["i32", "u32"], result: "i32" },
  /** `ioctl(fd, request, &buffer)` */
  ioctlBuffer: { name: "ioctl3", parameters: ["i32", "u32", "buffer"], result: "i32" },
  /** `ioctl(fd, request, argument)` with an id, a number or a mask. */
  ioctlU32: { name: "ioctl3_u32", parameters: ["i32", "u32", "u32"], result: "i32" },
  /** `syscall(number, fd, &buffer, length)`: read and write. */
  transfer: { name: "syscall3", parameters: ["i32", "u64", "buffer", "u64"], result: "i64" },
  /** `syscall(number, a, b, c, d, e, f)` */
  syscall6: {
    parameters: ["i32", "u64", "u64", "u64", "u64", "u64", "u64"],
    result: "i64",
  },
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
} as const satisfies Deno.ForeignLibraryInterface;

/** What programs call now and then. */
const uncompiled = {
  /** `syscall(number, &buffer, a, b)`: open and memfd_create take a path or a name first. */
  syscallBuffer: { name: "syscall3", parameters: ["i32", "buffer", "u64", "u64"], result: "i64" },
  /** `kick(&byte, tid, signal, &other)`: sets the byte, then interrupts the other thread or this. */
  kick: { parameters: ["u64", "i32", "i32", "u64"], result: "i32" },
  /** `kick_entry(&entry, generation, signal)`: kicks who has an entry of the table of `kick.ts`. */
  kickEntry: { name: "kick_entry", parameters: ["u64", "i32", "i32"], result: "i32" },
  /**
   * Makes expired POSIX timers set the byte that their sigev_value points to; the address of the
   * process's table of {@link ./kick.ts}.
   */
  handleTimerSignal: { name: "handle_timer_signal", parameters: ["i32"], result: "i64" },
} as const satisfies Functions;

/** libc's part in it: what writes the shim into a file. */
const loader = {
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
} as const satisfies Functions;

type Functions = Record<string, Deno.ForeignFunction>;

/** The shim's functions; each returns the kernel's result, -errno on failure. */
export type Shim = Deno.StaticForeignLibraryInterface<typeof compiled & typeof uncompiled>;

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
  const libc = openUncompiled("libc.so.6", loader);
  const { memfd_create, write, close } = libc.symbols;
  const image = Uint8Array.fromBase64(shimBase64);
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
    return {
      ...Deno.dlopen(path, compiled).symbols,
      ...openUncompiled(path, uncompiled).symbols,
    };
  } finally {
    if (fd >= 0) close(fd);
    libc.close();
  }
}

/**
 * Loads functions as addresses: to compile one takes the runtime 0.2 ms, in each thread anew, and a call
 * of one that isn't takes some microseconds more.
 */
function openUncompiled<F extends Functions>(
  path: string,
  functions: F,
): Deno.DynamicLibrary<F> {
  const names = Object.entries(functions);
  const pointers = Object.fromEntries(
    names.map(([name, { name: symbol = name }]) =>
      [name, { name: symbol, type: "pointer" }] as const
    ),
  );
  const library = Deno.dlopen(path, pointers);
  const symbols = Object.fromEntries(names.map(([name, definition]) => {
    const pointer = new Deno.UnsafeFnPointer(
      library.symbols[name]! as Deno.PointerObject<typeof definition>,
      definition,
    );
    return [name, pointer.call.bind(pointer)];
  }));
  return {
    symbols: symbols as Deno.StaticForeignLibraryInterface<F>,
    close: () => library.close(),
  };
}
