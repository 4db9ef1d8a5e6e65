/**
 * Runs a command where /dev/kvm is kvm_amd's: `deno task nested`.
 *
 * @module
 */

import { UsageError } from "../support/error.ts";
import { main, runNested, runShell } from "./nested.ts";
import { quote } from "./options.ts";

const usage = `Runs a command in an emulated machine whose /dev/kvm is kvm_amd's.

Usage: deno task nested [OPTIONS] [[--] COMMAND [ARGUMENTS]]

Inside, the work tree is at its own path, read-only; /tmp can be written to. There are Deno and
BusyBox, and no network. Without a command there is a shell; Ctrl-A X ends it the hard way.
`;

if (import.meta.main) {
  await main(usage, (options, signal) => {
    const { rest, report, all } = options;
    if (report !== undefined) throw new UsageError("--report is an option of test:nested");
    if (all) throw new UsageError("--all is an option of test:nested");
    if (rest.length > 0) return runNested([rest.map(quote).join(" ")], options, signal);
    if (Deno.stdin.isTerminal()) return runShell(options, signal);
    throw new UsageError("The shell wants a terminal: give a command, or see --help");
  });
}
