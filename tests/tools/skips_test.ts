import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  complaints,
  filesOf,
  nowhere,
  readCases,
  skippedRows,
  table,
  type TestCase,
} from "../../tools/skips.ts";

const report = (...cases: string[]) =>
  `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="${cases.length}" failures="0" errors="0" time="1.000">
    <testsuite name="./tests/a_test.ts" tests="${cases.length}" disabled="0" errors="0" failures="0">
        ${cases.join("\n        ")}
    </testsuite>
</testsuites>
`;

const testcase = (name: string, body = "") =>
  `<testcase name="${name}" classname="./tests/a_test.ts" time="0.001" line="1" col="6">
            ${body}
        </testcase>`;

const SKIPPED = "<skipped/>";

Deno.test("a report's tests have their file, their name and what it says that they need", () => {
  const xml = report(
    testcase("plain"),
    testcase("a guest&apos;s &lt;b&gt; (really)"),
    testcase("b (needs KVM&apos;s X, Y)", SKIPPED),
    testcase("c (needs KVM&apos;s X) (needs nasm)", SKIPPED),
    testcase("d (ignored: no gcc)", SKIPPED),
    testcase("e", '<failure message="no &lt;skipped/&gt;">text</failure>'),
  );
  assertEquals(readCases(xml), [
    { test: "tests/a_test.ts: plain", needs: "", skipped: false },
    { test: "tests/a_test.ts: a guest's <b> (really)", needs: "", skipped: false },
    { test: "tests/a_test.ts: b", needs: "KVM's X, Y", skipped: true },
    { test: "tests/a_test.ts: c", needs: "KVM's X; nasm", skipped: true },
    { test: "tests/a_test.ts: d", needs: "ignored: no gcc", skipped: true },
    { test: "tests/a_test.ts: e", needs: "", skipped: false },
  ]);
});

Deno.test("what Deno itself reports is read", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const name = `one's "own" & all`;
    await Deno.writeTextFile(
      `${folder}/x_test.ts`,
      `Deno.test(${JSON.stringify(`${name} (needs <it>)`)}, { ignore: true }, () => {});
       Deno.test("two", () => {});`,
    );
    const args = ["test", "--no-config", "--no-check", `--junit-path=${folder}/r.xml`, folder];
    const { success } = await new Deno.Command(Deno.execPath(), { args, stdout: "null" }).output();
    assertEquals(success, true);
    const cases = readCases(await Deno.readTextFile(`${folder}/r.xml`));
    assertEquals(cases.map(({ needs, skipped }) => [needs, skipped]), [["<it>", true], [
      "",
      false,
    ]]);
    assertEquals(cases.map(({ test }) => test.split(": ")[1]), ['one\'s "own" & all', "two"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

const cases = (fates: Readonly<Record<string, boolean>>): TestCase[] =>
  Object.entries(fates).map(([name, skipped]) => {
    const [test = "", needs = ""] = name.split("|");
    return { test, needs, skipped };
  });

Deno.test("the table has what was skipped on any backend, and on which, by what it needs", () => {
  const rows = skippedRows([
    cases({ "everywhere": false, "b|Y": true, "a|Y": false, "c|X": true, "d|Z": true }),
    cases({ "everywhere": false, "b|Y": false, "a|Y": true, "c|X": true }),
    cases({ "e|Z": true }),
  ]);
  assertEquals(rows, [
    { test: "c", needs: "X", fates: ["skipped", "skipped", "absent"] },
    { test: "a", needs: "Y", fates: ["ran", "skipped", "absent"] },
    { test: "b", needs: "Y", fates: ["skipped", "ran", "absent"] },
    { test: "d", needs: "Z", fates: ["skipped", "absent", "absent"] },
    { test: "e", needs: "Z", fates: ["absent", "absent", "skipped"] },
  ]);
  assertStringIncludes(
    table(["host", "nested", "newer"], rows),
    "\nneeds Y\nran      skipped  absent   a\nskipped  ran      absent   b\n",
  );
});

Deno.test("a reason that is in the name only where the test was skipped is found", () => {
  const rows = skippedRows([cases({ "a": false }), cases({ "a|no gcc": true })]);
  assertEquals(rows, [{ test: "a", needs: "no gcc", fates: ["ran", "skipped"] }]);
});

Deno.test("what ran nowhere is a complaint, unless the list says why; so is a list out of date", () => {
  const host = cases({ "a|X": true, "b|Y": true });
  const nested = cases({ "a|X": true, "b|Y": false });
  const rows = skippedRows([host, nested]);
  const all = [...host, ...nested];
  assertEquals(complaints(rows, all, { X: "no such hardware" }), []);
  assertEquals(complaints(rows, all, {}), ["ran nowhere, for want of X: a"]);
  assertEquals(complaints(rows, all, { X: "", Y: "a better machine has it" }), []);
  const outdated = complaints(rows, all, { X: "", Z: "" });
  assertEquals(outdated.length, 1);
  assertStringIncludes(outdated.join(), "Z");
});

Deno.test("the files of what ran nowhere are named once, for another backend", () => {
  const rows = skippedRows([
    cases({ "t/b.ts: one|X": true, "t/b.ts: two|X": true, "t/a.ts: three|Y": true }),
    cases({ "t/b.ts: one|X": true, "t/a.ts: three|Y": false }),
  ]);
  assertEquals(filesOf(rows), ["t/b.ts"]);
});

Deno.test("a test that is skipped and does not say why is a complaint, even if it runs elsewhere", () => {
  const rows = skippedRows([cases({ "a": true }), cases({ "a": false })]);
  assertEquals(complaints(rows, [], {}).length, 1);
});

Deno.test("a test that was skipped on one backend and isn't there on the other ran nowhere", () => {
  const host = cases({ "a|X": true });
  assertEquals(complaints(skippedRows([host, []]), host, {}).length, 1);
});

Deno.test("the list of what no backend has gives a reason for each", () => {
  for (const [needs, reason] of Object.entries(nowhere)) assert(reason.length > 5, needs);
});
