/**
 * What NASM has to say about a source (NASM manual, section 2.1.9, the `gnu` format).
 *
 * @module
 */

/** How grave a message is, in NASM's words; only `"error"`, `"fatal"` and `"panic"` end in an error. */
export type Severity = "debug" | "info" | "note" | "warning" | "error" | "fatal" | "panic";

/** One message of NASM's. */
export interface AssembleMessage {
  /** How grave it is. */
  readonly severity: Severity;
  /** NASM's sentence: ``"symbol `lost' not defined"``. */
  readonly text: string;
  /** The file it is about; undefined if that is the string given to `assemble`. */
  readonly file: string | undefined;
  /** The line it is about, counted from 1; undefined where NASM names none. */
  readonly line: number | undefined;
}

/** The name under which NASM knows a source that is no file. */
export const SOURCE_NAME = "source";

const format = /^(?:(.*?):(?:(\d+):)? )?(debug|info|note|warning|error|fatal|panic): (.*)$/;

/** What NASM names when it complains about a line before it has begun to read the source. */
const nowhere: readonly string[] = ["nasm", "/dev/null", "/proc/self/fd/1"];

/** Reads the messages in NASM's output; lines that only explain the message before are left out. */
export function parseMessages(output: string): AssembleMessage[] {
  const messages: AssembleMessage[] = [];
  for (const line of output.split("\n")) {
    const [, file, number, severity, text] = format.exec(line) ?? [];
    if (severity === undefined || text === undefined) continue;
    const named = file !== undefined && file !== SOURCE_NAME && !nowhere.includes(file);
    messages.push({
      severity: severity as Severity,
      text,
      file: named ? file : undefined,
      line: number === undefined ? undefined : Number(number),
    });
  }
  return messages;
}

/** "line 3: parser: instruction expected", with the file's name if there is one. */
export function formatMessage({ file, line, text }: AssembleMessage): string {
  if (file !== undefined) return `${file}:${line === undefined ? "" : `${line}:`} ${text}`;
  return line === undefined ? text : `line ${line}: ${text}`;
}

/** Whether NASM gives up because of such a message. */
export function isMistake({ severity }: AssembleMessage): boolean {
  return severity === "error" || severity === "fatal" || severity === "panic";
}

/**
 * NASM found a mistake in the source.
 *
 * @example
 * ```ts
 * import { assemble, AssembleError } from "@deno-kvm/kvm/assemble";
 *
 * try {
 *   assemble("mov al, 1\nhalt now");
 * } catch (error) {
 *   if (!(error instanceof AssembleError)) throw error;
 *   console.log(error.line, error.message); // 2 "Cannot assemble line 2: parser: ..."
 * }
 * ```
 */
export class AssembleError extends Error {
  /** Always `"AssembleError"`. */
  override readonly name: string = "AssembleError";
  /** The line of the first mistake, counted from 1; undefined where NASM names none. */
  readonly line: number | undefined;
  /** All messages, warnings among them, in NASM's order. */
  readonly messages: readonly AssembleMessage[];
  /** All that NASM wrote, unaltered. */
  readonly output: string;

  /** Takes what NASM wrote apart; the message is that of its first mistake. */
  constructor(output: string) {
    const messages = parseMessages(output);
    const [first, ...others] = messages.filter(isMistake);
    const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
    super(`Cannot assemble ${first ? formatMessage(first) : output.trim()}${more}`);
    this.line = first?.line;
    this.messages = messages;
    this.output = output;
  }
}
