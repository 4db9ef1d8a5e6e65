import { assertMatch, assertThrows } from "@std/assert";
import { suiteSources } from "../../../tools/support/apt.ts";
import { ToolError } from "../../../tools/support/error.ts";

Deno.test("another suite is one of the Debian that apt knows", () => {
  const archives = `|node|file:/node
Debian|Debian-Security|file:/security
Debian|Debian|file:/debian
`;
  assertMatch(suiteSources(archives, ["sid"]), /^deb \[signed-by=\S+\] file:\/debian sid main\n$/);
  assertMatch(suiteSources(archives, ["new", "old"]), /debian new main\ndeb .* old main\n$/);
  assertThrows(() => suiteSources("Ubuntu|Ubuntu|file:/u", ["sid"]), ToolError);
});
