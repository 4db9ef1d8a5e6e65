import { assertEquals } from "@std/assert";
import { keepDurations, knownDurations } from "../../../tools/nested/durations.ts";
import { inFolder, names } from "../support.ts";

Deno.test("how long each file took is kept from one run to the next", () =>
  inFolder(async (folder) => {
    assertEquals(await knownDurations(folder), {});
    const testcase = (path: string, time: string) =>
      `<testcase name="a &quot;b&quot;" classname="./${path}" time="${time}" line="1" col="1">`;
    for (const time of ["9.000", "1.500"]) {
      const report = testcase("a_test.ts", time) + testcase("b.ts", "2.0") +
        testcase("a_test.ts", "0.250");
      await keepDurations(folder, report);
    }
    assertEquals(await knownDurations(folder), { "a_test.ts": 1.75, "b.ts": 2 });
    assertEquals(names(folder), ["durations.json"]);
  }));
