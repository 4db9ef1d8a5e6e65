/**
 * Reports of `deno test --junit-path`, of several machines made into one.
 *
 * @module
 */

import { run } from "../support/process.ts";

/** Where on a job's disk the report is. */
export const REPORT = "report.xml";

/** Reads the report off the disk of a machine that has ended; undefined if it left none. */
export async function readReport(image: string, signal?: AbortSignal): Promise<string | undefined> {
  // For a file that isn't there it prints nothing, and doesn't fail.
  const text = new TextDecoder().decode(
    await run("debugfs", ["-R", `cat /${REPORT}`, image], { signal }),
  );
  return text.trimEnd().endsWith("</testsuites>") ? text : undefined;
}

/** One report of several, each of other files. */
export function mergeReports(reports: readonly string[]): string {
  const suites = reports.map((text) =>
    text.slice(text.indexOf("<testsuite "), text.lastIndexOf("</testsuites>")).trim()
  );
  const sum = (name: string) =>
    reports.reduce((sum, text) => {
      const value = new RegExp(`<testsuites [^>]*\\b${name}="([\\d.]+)"`).exec(text)?.[1];
      return sum + Number(value ?? 0);
    }, 0);
  const counts = ["tests", "failures", "errors"].map((name) => `${name}="${sum(name)}"`);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="deno test" ${counts.join(" ")} time="${sum("time").toFixed(3)}">`,
    ...suites.filter((text) => text !== ""),
    "</testsuites>",
    "",
  ].join("\n");
}
