import { assertEquals } from "@std/assert";
import { parts } from "../../../tools/nested/parts.ts";

const sizes = { "a_test.ts": 5, "b/c_test.ts": 9, "b/latest.ts": 99, "d.ts": 9, "z.test.ts": 3 };
const files = Object.entries(sizes).map(([path, size]) => ({ path, size }));

const all = () => true;

Deno.test("a whole run is divided: each test file goes to one machine, as much to each", () => {
  const args = ["--filter", "x"];
  assertEquals(parts(files, args, 2, all), [
    { args, files: ["b/c_test.ts"] },
    { args, files: ["a_test.ts", "z.test.ts"] },
  ]);
  assertEquals(parts(files, [], 9, all).length, 3);
});

Deno.test("of files that were timed before, each machine gets as much time", () => {
  const known = { "a_test.ts": 60, "b/c_test.ts": 20, "z.test.ts": 30 };
  const divided = parts(files, [], 2, all, known);
  assertEquals(divided.map(({ files }) => files), [["a_test.ts"], ["b/c_test.ts", "z.test.ts"]]);
});

Deno.test("tests that have nothing to do with KVM run if they are chosen", () => {
  const usesKvm = (path: string) => path.startsWith("a");
  assertEquals(parts(files, [], 2, usesKvm), [{ args: [], files: ["a_test.ts"] }]);
  assertEquals(parts(files, ["z"], 2, usesKvm), [{ args: [], files: ["z.test.ts"] }]);
});

Deno.test("a run of chosen files goes to one machine", () => {
  const chosen = { args: ["--fail-fast"], files: ["b/c_test.ts"] };
  for (const word of ["b", "./b/c_test.ts"]) {
    assertEquals(parts(files, [word, "--fail-fast"], 2, all), [chosen]);
  }
});

Deno.test("what only Deno understands is left to it", () => {
  for (const rest of [["--doc"], ["--shard=1/2"], ["--", "x"], ["d.ts"]]) {
    assertEquals(parts(files, rest, 2, all), [{ args: rest, files: [] }]);
  }
});
