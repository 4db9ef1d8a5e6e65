/**
 * An initial ramdisk for Linux, made of files in memory.
 *
 * @module
 */

/** A file of the archive. */
export interface CpioEntry {
  /** Its path without a slash at the beginning. */
  readonly path: string;
  /** Type and permissions as `st_mode` has them: 0o040755 for a folder, 0o100755 for a program. */
  readonly mode: number;
  /** What it holds. */
  readonly bytes?: Uint8Array;
  /** A device's number. */
  readonly device?: readonly [major: number, minor: number];
}

const encoder = new TextEncoder();
const ALIGN = 4;

/** A cpio archive in the "newc" format, as Linux takes it for an initramfs (its buffer-format.rst). */
export function cpio(entries: readonly CpioEntry[]): Uint8Array<ArrayBuffer> {
  const pieces = [...entries, { path: "TRAILER!!!", mode: 0 }].flatMap((entry, at) => {
    const { path, mode, bytes = new Uint8Array(0), device = [0, 0] } = entry as CpioEntry;
    const name = encoder.encode(`${path}\0`);
    const fields = [at + 1, mode, 0, 0, 1, 0, bytes.length, 0, 0, ...device, name.length, 0];
    const header = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`;
    return [padded(encoder.encode(header), name), padded(bytes)];
  });
  return joined(pieces, 1);
}

/** Bytes, one after the other, up to a multiple of four. */
function padded(...parts: readonly Uint8Array[]): Uint8Array {
  return joined(parts, ALIGN);
}

function joined(parts: readonly Uint8Array[], align: number): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const result = new Uint8Array(Math.ceil(length / align) * align);
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

/** An initial ramdisk with BusyBox that runs a shell script as its init. */
export function busyboxInitrd(busybox: Uint8Array, script: string): Uint8Array<ArrayBuffer> {
  const folders = ["bin", "dev", "proc", "sys", "tmp"];
  return cpio([
    ...folders.map((path) => ({ path, mode: 0o040755 })),
    { path: "dev/console", mode: 0o020600, device: [5, 1] },
    { path: "bin/busybox", mode: 0o100755, bytes: busybox },
    { path: "init", mode: 0o100755, bytes: encoder.encode(script) },
  ]);
}
