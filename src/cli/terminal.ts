/**
 * Text for people: colours where they show, tables that line up.
 *
 * @module
 */

import { styleText } from "node:util";

/** The ways in which text is set off. */
export type Style = "bold" | "dim" | "green" | "red" | "yellow";

/** A cell of a table: text, or a number, which goes to the right. */
export type Cell = string | number;

/** Where bytes go; `Deno.stdout` is one. */
export interface Stream {
  /** Writes some of the bytes, and returns how many. */
  writeSync(bytes: Uint8Array): number;
  /** Whether somebody looks at it. */
  isTerminal(): boolean;
}

/** What was to be written is lost. */
export class OutputError extends Error {
  override readonly name: string = "OutputError";
}

const encoder = new TextEncoder();

/** Output as text. */
export class Terminal {
  /** Whether colours are welcome: on a terminal, unless NO_COLOR is set. */
  readonly colours: boolean;
  readonly #stream: Stream;

  /** Writes to a stream. */
  constructor(stream: Stream) {
    this.#stream = stream;
    this.colours = stream.isTerminal() && !Deno.noColor;
  }

  /**
   * Writes all of a text. That a reader has gone, as `head` does, is no error: nobody wants the
   * rest.
   *
   * @throws {OutputError} if it can't be written, for want of space for instance.
   */
  write(text: string): void {
    try {
      for (let bytes = encoder.encode(text); bytes.length > 0;) {
        bytes = bytes.subarray(this.#stream.writeSync(bytes));
      }
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) return;
      throw new OutputError(error instanceof Error ? error.message : String(error), {
        cause: error,
      });
    }
  }

  /** Text that is set off. */
  paint(style: Style, text: string): string {
    return this.colours ? styleText(style, text, { validateStream: false }) : text;
  }

  /**
   * Rows as lines whose columns line up, each column in its style; the last one is as wide as it
   * is.
   */
  table(rows: readonly (readonly Cell[])[], styles: readonly (Style | undefined)[] = []): string {
    const widths: number[] = [];
    for (const row of rows) {
      row.forEach((cell, at) => widths[at] = Math.max(widths[at] ?? 0, String(cell).length));
    }
    return rows.map((row) => {
      const cells = row.map((cell, at) => {
        const isLast = at === row.length - 1;
        const width = isLast && typeof cell === "string" ? 0 : widths[at]!;
        const text = typeof cell === "number" ? String(cell).padStart(width) : cell.padEnd(width);
        const style = styles[at];
        return style === undefined ? text : this.paint(style, text);
      });
      return `  ${cells.join("  ").trimEnd()}\n`;
    }).join("");
  }
}
