/**
 * From source to bytes.
 *
 * @module
 */

import { checkList, checkNames, Errno, KvmError, type Names, show } from "../../ffi/mod.ts";
import { type AssembleMessage, formatMessage, SOURCE_NAME } from "./messages.ts";
import { isFolder, runNasm } from "./nasm.ts";

/** The sizes of code: real mode, protected mode, long mode. */
export type Bits = 16 | 32 | 64;

/** How to assemble a string. */
export interface AssembleOptions {
  /** The code's size, 64 by default; a `bits` in the source changes it. */
  readonly bits?: Bits | undefined;
  /**
   * The guest address that the code is loaded to, 0x1000 by default, where the library's boot
   * helpers load it too. Leave it out if the source has an `org` of its own.
   */
  readonly origin?: number | undefined;
  /** Folders in which `%include` and `incbin` look for files; NASM reads them, Deno does not. */
  readonly include?: readonly string[] | undefined;
  /** Gets each of NASM's warnings; `console.warn` prints them by default. */
  readonly onWarning?: ((warning: AssembleMessage) => void) | undefined;
}

/** Far more than anybody has; a sparse list would cost nothing until it is copied. */
const INCLUDE_MAX = 1000;

const OPERATION = "assemble";
const OPTIONS: Names<AssembleOptions> = {
  bits: true,
  origin: true,
  include: true,
  onWarning: true,
};
const DEFAULT_ORIGIN = 0x1000;
const ownOrigin = /^[ \t]*\[?[ \t]*org[ \t]/im;

/**
 * Assembles a string of NASM's language into a flat image.
 *
 * Line numbers in messages are those of the string. NASM names no line for a mistake inside an
 * included file, and the end of the block for one inside a `%rep`.
 *
 * Needs `--allow-run=nasm` alone. Takes about as long as it takes to start a process, some
 * milliseconds.
 *
 * @throws {AssembleError} if there is a mistake in the source.
 * @throws {KvmError} ENOENT if NASM is not installed, EACCES without `--allow-run=nasm`, EINVAL for
 * a source or an option that cannot be, E2BIG for more than about a megabyte of source.
 *
 * @example
 * ```ts
 * import { assemble } from "@deno-kvm/kvm/assemble";
 *
 * const bootSector = assemble("jmp $\ntimes 510 - ($ - $$) db 0\ndw 0xaa55", {
 *   bits: 16,
 *   origin: 0x7c00,
 * });
 * console.log(bootSector.length); // 512
 * ```
 */
export function assemble(source: string, options: AssembleOptions = {}): Uint8Array<ArrayBuffer> {
  if (typeof source !== "string") throw invalid(`The source is a string, not ${show(source)}`);
  if (source.includes("\0")) throw invalid("A source holds no NUL characters");
  checkNames(OPERATION, "What says how", options, OPTIONS);
  const { bits = 64, include = [], onWarning = printWarning } = options;
  const { origin = ownOrigin.test(source) ? undefined : DEFAULT_ORIGIN } = options;
  if (![16, 32, 64].includes(bits)) throw invalid(`bits is 16, 32 or 64, not ${show(bits)}`);
  if (origin !== undefined && (!Number.isSafeInteger(origin) || origin < 0)) {
    throw invalid(`origin is an address, not ${show(origin)}`);
  }
  checkList(OPERATION, "include", include, INCLUDE_MAX);
  for (const folder of include) checkPath("A folder of include", folder);
  checkOnWarning(onWarning);

  const prefix = [`bits ${bits}`, ...(origin === undefined ? [] : [`org ${origin}`])];
  return runNasm([
    ...include.map((folder) => `-I${folder.endsWith("/") ? folder : `${folder}/`}`),
    ...[...prefix, ...numberedLines(source)].flatMap((line) => ["--before", line]),
    "/dev/null",
  ], onWarning);
}

/**
 * Assembles a file as it is, with the `bits` and `org` that it states itself.
 *
 * `%include` and `incbin` look for files in the file's own folder. NASM reads the file, so this
 * needs `--allow-run=nasm` alone.
 *
 * @param onWarning Gets each of NASM's warnings; `console.warn` prints them by default.
 * @throws {AssembleError} if there is a mistake in the source, or no such file.
 * @throws {KvmError} ENOENT if NASM is not installed, EACCES without `--allow-run=nasm`, EISDIR for a
 * folder, EINVAL for what names no file.
 *
 * @example
 * ```ts
 * import { assembleFile } from "@deno-kvm/kvm/assemble";
 *
 * const code = assembleFile("guests/halt.asm");
 * console.log(code.length); // 13
 * ```
 */
export function assembleFile(
  path: string | URL,
  onWarning: (warning: AssembleMessage) => void = printWarning,
): Uint8Array<ArrayBuffer> {
  const name = path instanceof URL ? pathOf(path) : path;
  checkPath("path", name);
  checkOnWarning(onWarning);
  const folder = name.slice(0, name.lastIndexOf("/") + 1);
  // NASM would take a name that begins with a hyphen for an option.
  const input = folder === "" ? `./${name}` : name;
  const code = runNasm([`-I${folder || "./"}`, input], onWarning);
  if (code.length === 0 && isFolder(input)) {
    const hint = `NASM reads a file, and ${show(name)} is a folder`;
    throw new KvmError({ operation: OPERATION, errno: Errno.EISDIR, hint });
  }
  return code;
}

function pathOf(url: URL): string {
  if (url.protocol !== "file:") throw invalid(`NASM reads files and no ${url.protocol} URLs`);
  try {
    return decodeURIComponent(url.pathname);
  } catch {
    throw invalid(`path is a URL whose % signs stand before UTF-8 in hex, not ${show(url.href)}`);
  }
}

/** A name that holds a NUL can be no argument of NASM's, and an empty one would be a folder's. */
function checkPath(what: string, path: unknown): void {
  if (typeof path === "string" && path !== "" && !path.includes("\0")) return;
  throw invalid(`${what} is a name, without NUL characters, not ${show(path)}`);
}

function checkOnWarning(onWarning: unknown): void {
  if (typeof onWarning === "function") return;
  throw invalid(`onWarning is a function, not ${show(onWarning)}`);
}

/**
 * NASM reads its input once per pass and so can read no pipe; but it takes lines on its command
 * line, and a `%line` before each one gives it its number back (NASM manual, sections 2.1.23 and
 * 4.10.1). A line that ends in a backslash goes on in the next.
 */
function numberedLines(source: string): string[] {
  const lines = source.split(/\r?\n/);
  const numbered: string[] = [];
  for (let index = 0; index < lines.length; index++) {
    const position = `%line ${index + 1}+1 ${SOURCE_NAME}`;
    let line = lines[index] ?? "";
    while (line.endsWith("\\") && index + 1 < lines.length) {
      line = line.slice(0, -1) + lines[++index];
    }
    if (line.trim() !== "") numbered.push(position, line);
  }
  return numbered;
}

function printWarning(warning: AssembleMessage): void {
  console.warn(`nasm: ${formatMessage(warning)}`);
}

function invalid(hint: string): KvmError {
  return new KvmError({ operation: OPERATION, errno: Errno.EINVAL, hint });
}
