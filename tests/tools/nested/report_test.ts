import { assertEquals, assertStringIncludes } from "@std/assert";
import { makeImage } from "../../../tools/nested/ext4.ts";
import { mergeReports, readReport } from "../../../tools/nested/report.ts";
import { inFolder, needs } from "../support.ts";

Deno.test("reports of several machines become one that has all their tests", () => {
  const report = (tests: number, suites: string) =>
    `<?xml version="1.0" encoding="UTF-8"?>\n` +
    `<testsuites name="deno test" tests="${tests}" failures="1" errors="0" time="1.250">` +
    `${suites}</testsuites>\n`;
  const merged = mergeReports([
    report(2, '<testsuite name="a" tests="2"></testsuite>'),
    report(0, ""),
    report(3, '<testsuite name="b" tests="3"></testsuite>'),
  ]);
  assertStringIncludes(merged, 'tests="5" failures="3" errors="0" time="3.750"');
  assertEquals(merged.match(/<testsuite name="[ab]"/g)?.length, 2);
  assertEquals(merged.match(/<testsuites/g)?.length, 1);
});

Deno.test(
  needs("mke2fs", "debugfs")("a report is read from a disk, and half of one is none"),
  () =>
    inFolder(async (folder) => {
      const files = `${folder}/files`;
      await Deno.mkdir(files);
      const image = `${folder}/image`;
      const made = async (text: string) => {
        await Deno.writeTextFile(`${files}/report.xml`, text);
        await makeImage(files, image, { free: 1 << 20 });
        return await readReport(image);
      };
      const whole = "<testsuites>\n</testsuites>\n";
      assertEquals(await made(whole), whole);
      assertEquals(await made("<testsuites>"), undefined);
      await Deno.remove(`${files}/report.xml`);
      await makeImage(files, image, { free: 1 << 20 });
      assertEquals(await readReport(image), undefined);
    }),
);
