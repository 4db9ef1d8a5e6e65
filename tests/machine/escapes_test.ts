import { assertEquals } from "@std/assert";
import { escapeHelp, EscapeParser } from "../../src/machine/escapes.ts";

/** What typing a text comes to: the guest's characters, and commands in brackets. */
function typed(text: string, parser = new EscapeParser()): string {
  return [...text].map((character) => {
    const what = parser.parse(character.charCodeAt(0));
    return what === "send" ? character : what === undefined ? "" : `[${what}]`;
  }).join("");
}

Deno.test("keys are the guest's, Ctrl-C and Ctrl-D among them", () => {
  const all = String.fromCharCode(...Array.from({ length: 255 }, (_, code) => (code + 2) % 256));
  assertEquals(typed(all), all);
});

Deno.test("the key behind Ctrl-A is a command, and the next one the guest's again", () => {
  assertEquals(typed("a\x01xb"), "a[quit]b");
  assertEquals(typed("\x01h\x01?"), "[help][help]");
  assertEquals(typed("\x01b\x01p\x01r"), "[break][powerButton][reset]");
});

Deno.test("Ctrl-A twice sends it once", () => {
  assertEquals(typed("\x01\x01x"), "\x01x");
  assertEquals(typed("\x01\x01\x01x"), "\x01[quit]");
});

Deno.test("a key behind Ctrl-A that means nothing is lost, and nothing with it", () => {
  assertEquals(typed("\x01zx"), "x");
  assertEquals(typed("\x01\x00x"), "x");
  assertEquals(typed("\x01Xx"), "x");
});

Deno.test("help names every command and nothing else", () => {
  const keys = escapeHelp.map((line) => /^Ctrl-A (\S+) /.exec(line)![1]!);
  assertEquals(keys.toSorted(), ["Ctrl-A", "b", "h", "p", "r", "x"]);
  for (const key of keys.filter((key) => key.length === 1)) {
    assertEquals(typed(`\x01${key}`).startsWith("["), true, key);
  }
});
