/**
 * Files that the guest's output goes to.
 *
 * @module
 */

import { Failure } from "../command.ts";
import { withFile } from "./files.ts";
import { RunStatus } from "./status.ts";

/** One that is open. */
interface OutputFile {
  readonly path: string;
  readonly file: Deno.FsFile;
  /** Whether it was not there before. */
  readonly isNew: boolean;
}

/**
 * Files that the guest's output goes to, until disposed of. They keep what is in them until the machine
 * is made; if it never is, those that were not there before are gone again.
 */
export class OutputFiles implements Disposable {
  /** What uses a file, by the file's place on its disk: a path is not the only one to it. */
  readonly #uses: Map<string, string>;
  readonly #signal: AbortSignal | undefined;
  readonly #files: OutputFile[] = [];
  #begun = false;

  private constructor(uses: Map<string, string>, signal: AbortSignal | undefined) {
    this.#uses = uses;
    this.#signal = signal;
  }

  /**
   * Remembers which files are none to write to.
   *
   * @param inputs What the machine is made from.
   * @param signal Aborted, it waits no more for a pipe's reader.
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
    return new OutputFiles(uses, signal);
  }

  /**
   * Opens one.
   *
   * @throws {Failure} for one that something else uses, or that the system refuses.
   */
  async open(path: string): Promise<WritableStream<Uint8Array>> {
    const opened = await this.#open(path);
    this.#files.push(opened);
    const { file } = opened;
    const info = await file.stat();
    const use = this.#uses.get(placeOf(info));
    if (use !== undefined) throw new Failure(`Cannot write to ${path}: ${use}`, RunStatus.FAILED);
    if (info.isFile) this.#uses.set(placeOf(info), "another port does already");
    return toFile(path, file);
  }

  /** The machine is made: what was in the files is no more. */
  async begin(): Promise<void> {
    for (const { path, file } of this.#files) {
      if ((await file.stat()).isFile) await withFile("write to", path, () => file.truncate());
    }
    this.#begun = true;
  }

  /** Closes them. */
  [Symbol.dispose](): void {
    for (const { path, file, isNew } of this.#files) {
      file.close();
      if (isNew && !this.#begun) removeQuietly(path);
    }
  }

  /** A named pipe has no writer before it has a reader, and who that is may never come. */
  async #open(path: string): Promise<OutputFile> {
    const signal = this.#signal;
    const opening = withFile("write to", path, openFile);
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = () => {
      const message = `Cannot write to ${path}: nobody has opened it to read within the ` +
        "--timeout. A pty waits for nobody: --serial pty";
      reject(new Failure(message, RunStatus.TIMEOUT));
    };
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort);
    try {
      return await Promise.race([opening, aborted]);
    } catch (error) {
      opening.then(({ file }) => file.close(), () => {});
      throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }
}

async function openFile(path: string): Promise<OutputFile> {
  try {
    return { path, file: await Deno.open(path, { write: true, createNew: true }), isNew: true };
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  // A link to a file that is not there makes it.
  return { path, file: await Deno.open(path, { write: true, create: true }), isNew: false };
}

/** What ended it before is the error to tell. */
function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // An empty file stays, or somebody has removed it.
  }
}

function placeOf({ dev, ino }: Deno.FileInfo): string {
  return `${dev} ${ino}`;
}

/** What is written is there at once; the runtime's own stream keeps some back until it is closed. */
function toFile(path: string, file: Deno.FsFile): WritableStream<Uint8Array> {
  return new WritableStream({
    write: (bytes) =>
      withFile("write to", path, async () => {
        while (bytes.length > 0) bytes = bytes.subarray(await file.write(bytes));
      }),
  });
}
