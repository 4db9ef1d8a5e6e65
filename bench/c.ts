/**
 * The C program that this library is compared with: compiled, started, and asked for one turn at a
 * time.
 *
 * @module
 */

/** gcc is not installed, or does not like the program. */
export class CompileError extends Error {
  override name = "CompileError";
}

/**
 * `baseline.c`, running. A request is a line, "NAME TIMES [GUEST]", the guest's code in hex; the
 * answer is a line with the nanoseconds that it took to do it so many times.
 */
export class Baseline implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #requests: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #answers: ReadableStreamDefaultReader<string>;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#requests = child.stdin.getWriter();
    this.#answers = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /**
   * Compiles and starts it.
   *
   * @throws {CompileError} without gcc or the C library's and the kernel's headers.
   */
  static async start(): Promise<Baseline> {
    const folder = await Deno.makeTempDir();
    try {
      const program = `${folder}/baseline`;
      await compile(program);
      return new Baseline(
        new Deno.Command(program, { stdin: "piped", stdout: "piped", stderr: "inherit" }).spawn(),
      );
    } finally {
      // The program has been started by now, and runs on without its file.
      await Deno.remove(folder, { recursive: true });
    }
  }

  /** A benchmark's turn, in nanoseconds for each time. */
  async turn(name: string, times: number, guest?: Uint8Array<ArrayBuffer>): Promise<number> {
    const code = guest === undefined ? "" : ` ${guest.toHex()}`;
    await this.#requests.write(new TextEncoder().encode(`${name} ${times}${code}\n`));
    let answer = "";
    while (!answer.endsWith("\n")) {
      const { value, done } = await this.#answers.read();
      if (done) throw new Error(`the C program ended in the middle of ${name}`);
      answer += value;
    }
    const nanoseconds = Number(answer);
    if (!(nanoseconds > 0)) throw new Error(`the C program on ${name}: ${answer.trim()}`);
    return nanoseconds / times;
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#requests.close();
    await this.#child.status;
  }
}

async function compile(program: string): Promise<void> {
  const source = `${import.meta.dirname}/baseline.c`;
  const args = [
    "-std=gnu11",
    "-O2",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-pthread",
    "-o",
    program,
    source,
  ];
  const hint = "install it with: apt install gcc libc6-dev";
  let output;
  try {
    output = await new Deno.Command("gcc", { args, stderr: "piped" }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new CompileError(`There is no gcc, and the figures need C's beside them; ${hint}`);
  }
  if (output.success) return;
  const complaint = new TextDecoder().decode(output.stderr);
  throw new CompileError(`gcc could not compile ${source}; if headers are missing, ${hint}
${complaint}`);
}
