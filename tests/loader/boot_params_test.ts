import { assert, assertEquals } from "@std/assert";
import { type Field, type Layout, layoutOf } from "../../ffi/mod.ts";
import { bootParams, setupHeader } from "../../src/loader/linux/boot_params.ts";
import { needing } from "../support/host.ts";

/** What C calls otherwise: parts of `screen_info`, and padding. */
const otherwise = /^(screenInfo|extMemK|pad)/;
function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`);
}

function* claims(layout: Layout, path = "", base = 0): Generator<[string, number]> {
  for (const { name, offset } of layout.fields.values() as Iterable<Field>) {
    if (otherwise.test(name)) continue;
    const member = path + snakeCase(name);
    if (name !== "hdr") yield [`offsetof(struct boot_params, ${member})`, base + offset];
  }
}

/** The offsets as C has them; undefined without a compiler or the kernel's header. */
function compiled(expressions: readonly string[]): number[] | undefined {
  const source = `#include <stddef.h>\n#include <asm/bootparam.h>\n` +
    `const unsigned long claims[] = {${expressions.join(",")}};`;
  try {
    const folder = Deno.makeTempDirSync();
    try {
      Deno.writeTextFileSync(`${folder}/claims.c`, source);
      const { success } = new Deno.Command("gcc", {
        args: ["-c", "-o", `${folder}/claims.o`, `${folder}/claims.c`],
        stderr: "null",
      }).outputSync();
      if (!success) return undefined;
      const args = ["-O", "binary", "-j", ".rodata", "claims.o", "claims.bin"];
      new Deno.Command("objcopy", { args, cwd: folder }).outputSync();
      const bytes = Deno.readFileSync(`${folder}/claims.bin`);
      return [...new BigUint64Array(bytes.buffer)].map(Number);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

const all: readonly [string, number][] = [
  ...claims(layoutOf(bootParams)),
  ...claims(layoutOf(setupHeader), "hdr.", 0x1f0),
  ["offsetof(struct boot_params, screen_info.ext_mem_k)", 2],
  ["sizeof(struct boot_params)", layoutOf(bootParams).size],
  ["sizeof(struct boot_e820_entry)", 20],
];
const actual = compiled(all.map(([expression]) => expression));

Deno.test(
  needing("gcc and asm/bootparam.h", actual !== undefined, "The zero page is laid out as in C"),
  () => {
    assert(all.length > 60);
    assertEquals(
      Object.fromEntries(all.map(([name], index) => [name, actual![index]])),
      Object.fromEntries(all),
    );
  },
);
