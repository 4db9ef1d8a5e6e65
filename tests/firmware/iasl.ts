/**
 * Intel's AML compiler and disassembler, as a second opinion of tables.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";

/** Whether iasl is here: `apt install acpica-tools`. */
export function hasIasl(): boolean {
  try {
    return new Deno.Command("iasl", { args: ["-v"], stdout: "null", stderr: "null" })
      .outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** What iasl writes where it has something to complain of. */
const complaint = /error|warning|invalid|unknown|incorrect|truncat|unresolved|could not|mismatch/i;

async function iasl(folder: string, ...args: string[]): Promise<string> {
  const command = new Deno.Command("iasl", { args, cwd: folder });
  const { success, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  const output = decoder.decode(stdout) + decoder.decode(stderr);
  assert(success, output);
  return output;
}

/** Disassembles a table, which must find no fault; the text. */
export async function disassemble(folder: string, bytes: Uint8Array): Promise<string> {
  await Deno.writeFile(`${folder}/table.aml`, bytes);
  const output = await iasl(folder, "-d", "table.aml");
  assertEquals(output.match(complaint)?.[0], undefined, output);
  const text = await Deno.readTextFile(`${folder}/table.dsl`);
  assertEquals(text.match(complaint)?.[0], undefined, text);
  return text;
}

/** Disassembles AML and compiles the text again, without an error or a warning; the AML's bytes. */
export async function recompile(folder: string, bytes: Uint8Array): Promise<Uint8Array> {
  await disassemble(folder, bytes);
  // Without optimizing, which would shorten the paths of names.
  const output = await iasl(folder, "-on", "-p", "again", "table.dsl");
  assert(/\b0 Errors, 0 Warnings, 0 Remarks\b/.test(output), output);
  return await Deno.readFile(`${folder}/again.aml`);
}
