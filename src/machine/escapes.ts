/**
 * The way out of a guest's console: what follows Ctrl-A is for the machine, as in QEMU.
 *
 * @module
 */

/** What somebody at the console wants of the machine. */
export type EscapeCommand = "quit" | "help" | "break" | "powerButton" | "reset";

/** The byte that a terminal sends for Ctrl-A. */
const ESCAPE = 0x01;

const commands: Readonly<Record<string, EscapeCommand>> = {
  x: "quit",
  h: "help",
  "?": "help",
  b: "break",
  p: "powerButton",
  r: "reset",
};

/** The text of `help`, line by line. */
export const escapeHelp: readonly string[] = [
  "Ctrl-A x       ends the machine",
  "Ctrl-A p       presses the power button",
  "Ctrl-A r       resets the machine",
  "Ctrl-A b       sends a break",
  "Ctrl-A Ctrl-A  sends Ctrl-A",
  "Ctrl-A h       shows this",
];

/** Tells the guest's bytes from commands for the machine. */
export class EscapeParser {
  #escaped = false;

  /**
   * What to do with the next byte: to send it to the guest, to obey a command, or nothing. A key
   * behind Ctrl-A that means nothing is lost.
   */
  parse(byte: number): "send" | EscapeCommand | undefined {
    if (!this.#escaped) {
      this.#escaped = byte === ESCAPE;
      return this.#escaped ? undefined : "send";
    }
    this.#escaped = false;
    return byte === ESCAPE ? "send" : commands[String.fromCharCode(byte)];
  }
}
