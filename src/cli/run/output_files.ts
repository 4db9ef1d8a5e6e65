/**
 * Files that the guest's output goes to.
 *
 * @module
 */

import { placeOfFile } from "../../../ffi/mod.ts";
import { Failure } from "../command.ts";
import { withFile, withinTimeout } from "./files.ts";
import { RunStatus } from "./status.ts";

/** One of them. */
interface OutputFile {
  readonly path: string;
  /** It, once it is open: one that is not there yet is made when the machine is. */
  file: Deno.FsFile | undefined;
}

/** What is behind descriptors 0, 1 and 2. */
const standard = [
  "standard input comes from it",
  "standard output goes there",
  "standard error goes there",
];

/** Whoever else writes to a file, too, comes between, and overwrites nothing. */
const APPEND: Deno.OpenOptions = { append: true };

/**
 * Files that the guest's output goes to, until disposed of. What is in them stays until the machine is
 * made, and those that are not there are made then.
 */
export class OutputFiles implements Disposable {
  /** What uses a file, by the file's place on its disk: a path is not the only one to it. */
  readonly #uses: Map<string, string>;
  readonly #signal: AbortSignal | undefined;
  readonly #files: OutputFile[] = [];

  private constructor(uses: Map<string, string>, signal: AbortSignal | undefined) {
    this.#uses = uses;
    this.#signal = signal;
  }

  /**
   * Remembers which files are none to write to.
   *
   * @param inputs What the machine is made from.
   * @param signal Aborted, it waits no more for a pipe's reader, and begins nothing.
   */
  static async beside(
    inputs: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<OutputFiles> {
    const uses = new Map<string, string>();
    for (const path of inputs) {
      // Whoever reads it tells what is wrong with it.
      const info = await Deno.stat(path).catch(() => undefined);
      if (info?.isFile) uses.set(placeOf(info), "the machine is made from it");
    }
    for (const [fd, use] of standard.entries()) {
      const place = placeOfFile(fd);
      if (place !== undefined) uses.set(placeOf(place), use);
    }
    return new OutputFiles(uses, signal);
  }

  /**
   * Opens one, if it is there.
   *
   * @throws {Failure} for one that something else uses, or that the system refuses; or the signal's
   * reason.
   */
  async open(path: string): Promise<WritableStream<Uint8Array>> {
    const output: OutputFile = { path, file: undefined };
    this.#files.push(output);
    output.file = await this.#openExisting(path);
    if (output.file !== undefined) await this.#claim(path, output.file);
    return toFile(output);
  }

  /**
   * The machine is made: what was in the files is no more. Once the signal is aborted, this is not so:
   * the machine will not run.
   *
   * @throws {Failure} as {@linkcode open}.
   */
  async begin(): Promise<void> {
    const old: [path: string, file: Deno.FsFile][] = [];
    for (const output of this.#files) {
      const { path, file } = output;
      if (file === undefined) {
        output.file = await withFile(
          "write to",
          path,
          () => Deno.open(path, { ...APPEND, create: true }),
        );
        await this.#claim(path, output.file);
      } else if ((await file.stat()).isFile) old.push([path, file]);
    }
    for (const [path, file] of old) {
      if (this.#signal?.aborted) return;
      await withFile("write to", path, () => file.truncate());
    }
  }

  /** Closes them. */
  [Symbol.dispose](): void {
    for (const { file } of this.#files) file?.close();
  }

  async #claim(path: string, file: Deno.FsFile): Promise<void> {
    const info = await file.stat();
    const use = this.#uses.get(placeOf(info));
    if (use !== undefined) throw new Failure(`Cannot write to ${path}: ${use}`, RunStatus.FAILED);
    if (info.isFile) this.#uses.set(placeOf(info), "another port does already");
  }

  /** A named pipe has no writer before it has a reader, and who that is may never come. */
  async #openExisting(path: string): Promise<Deno.FsFile | undefined> {
    const signal = this.#signal;
    signal?.throwIfAborted();
    const opening = withFile("write to", path, openExisting);
    const message = `Cannot write to ${path}: nobody has opened it to read within the ` +
      "--timeout. A pty waits for nobody: --serial pty";
    try {
      return await withinTimeout(opening, signal, message);
    } catch (error) {
      opening.then((file) => file?.close(), () => {});
      throw error;
    }
  }
}

async function openExisting(path: string): Promise<Deno.FsFile | undefined> {
  try {
    return await Deno.open(path, APPEND);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function placeOf({ dev, ino }: Pick<Deno.FileInfo, "dev" | "ino">): string {
  return `${dev} ${ino}`;
}

/** What is written is there at once; the runtime's own stream keeps some back until it is closed. */
function toFile(output: OutputFile): WritableStream<Uint8Array> {
  return new WritableStream({
    write: (bytes) =>
      withFile("write to", output.path, async () => {
        while (bytes.length > 0) bytes = bytes.subarray(await output.file!.write(bytes));
      }),
  });
}
