import { assertEquals, assertThrows } from "@std/assert";
import { effectiveLimit, parseOptions, quote } from "../../../tools/nested/options.ts";
import { UsageError } from "../../../tools/support/error.ts";

Deno.test("own options come first, and the rest is the command's, its options too", () => {
  assertEquals(parseOptions(["--limit", "5", "--debs=/d", "--", "ls", "--help"]), {
    help: false,
    limit: 5,
    debs: "/d",
    suite: undefined,
    withQemu: false,
    guests: false,
    all: false,
    report: undefined,
    rest: ["ls", "--help"],
  });
  assertEquals(parseOptions(["ls", "--filter", "x", "--limit", "5"]).rest, [
    "ls",
    "--filter",
    "x",
    "--limit",
    "5",
  ]);
  assertEquals(parseOptions(["--", "--", "x"]).rest, ["--", "x"]);
  assertEquals(parseOptions(["--help"]).help, true);
  assertEquals(parseOptions(["--with-qemu", "ls"]).withQemu, true);
});

Deno.test("an option without its value, and a limit that is no number of seconds, are refused", () => {
  for (const args of [["--limit"], ["--limit", "-1"], ["--limit=1.5"], ["--limit=9999999999"]]) {
    assertThrows(() => parseOptions(args), UsageError, "", args.join(" "));
  }
  assertThrows(() => parseOptions(["--help=yes"]), UsageError);
});

Deno.test("a misspelt option is no command", () => {
  for (const args of [["--limits=5", "--", "true"], ["--limit", "5", "--limits"], ["-h"]]) {
    assertThrows(() => parseOptions(args), UsageError, "Unknown option '-");
  }
  assertThrows(() => parseOptions(["--limits=5"]), UsageError, "option '--limits'");
  assertEquals(parseOptions(["--", "--limits"]).rest, ["--limits"]);
});

Deno.test("a command has a limit unless told otherwise, and a shell has none", () => {
  assertEquals(effectiveLimit(parseOptions([]), true), 0);
  assertEquals(effectiveLimit(parseOptions([]), false) > 0, true);
  assertEquals(effectiveLimit(parseOptions(["--limit", "0"]), false), 0);
  assertEquals(effectiveLimit(parseOptions(["--limit", "7"]), true), 7);
});

Deno.test("a shell takes a quoted word for the word, whatever is in it", async () => {
  const words = ["plain", "", "a b", "it's", "$HOME `x` \\", "*", "--filter=/^a|b$/", "ä\n\t!"];
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", `printf '%s|' ${words.map(quote).join(" ")}`],
  }).output();
  assertEquals(new TextDecoder().decode(stdout), words.map((word) => `${word}|`).join(""));
});
