/**
 * Assembles a guest's code with NASM, from a string or from a file.
 *
 * Needs NASM 2.14 or newer on the `PATH` and `--allow-run=nasm`, nothing else: no file is written,
 * not even a temporary one.
 *
 * @example
 * ```ts
 * import { assemble } from "@deno-kvm/kvm/assemble";
 *
 * const code = assemble(`
 *         mov     al, 42
 *         out     0xe0, al
 *         hlt
 * `);
 * console.log(code); // Uint8Array(5) [ 176, 42, 230, 224, 244 ]
 * ```
 *
 * @module
 */

export { assemble, assembleFile, type AssembleOptions, type Bits } from "./assemble.ts";
export { AssembleError, type AssembleMessage, type Severity } from "./messages.ts";
