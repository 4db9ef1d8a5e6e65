/**
 * Compares the tables of KVM's interface with the headers of a newer kernel: `deno task headers`.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { cacheFolder } from "../support/cache.ts";
import { UsageError } from "../support/error.ts";
import { requirePrograms } from "../support/process.ts";
import { runTool } from "../support/tool.ts";
import { type Headers, kernelHeaders } from "./package.ts";

const SUITE = "trixie-backports";

const usage =
  `Compares the tables in ffi/uapi/ with the headers of a newer kernel than the system's.

Usage: deno task headers [OPTIONS]

  --suite SUITE    take them from this suite of Debian; ${SUITE} if not given
  --folder         only print the folder that they are in, for the variable KVM_HEADERS
  --help           show this

apt downloads the suite's linux-libc-dev into the cache, where it is unpacked. It is not installed.

Exit status: 0 if the tables are right and have all that the headers have, 1 if not; 125 if there are
no such headers or something is missing, 128 and the signal's number if a signal ended it.`;

/** The command line. */
export interface Options {
  readonly help: boolean;
  /** A suite of Debian. */
  readonly suite: string;
  /** Whether only to tell where the headers are. */
  readonly folder: boolean;
}

/** @throws {UsageError} */
export function parseOptions(args: readonly string[]): Options {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", default: false },
        suite: { type: "string", default: SUITE },
        folder: { type: "boolean", default: false },
      },
    });
    return { help: values.help, suite: values.suite, folder: values.folder };
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message);
    throw error;
  }
}

/** Runs the test that compares, and returns its exit status. */
async function compare({ folder, origin }: Headers, signal: AbortSignal): Promise<number> {
  console.error(`headers: comparing with ${origin}`);
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "--allow-all", "tests/ffi/uapi_test.ts"],
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    env: { KVM_HEADERS: folder },
    signal,
  }).spawn().status;
  signal.throwIfAborted();
  return code;
}

if (import.meta.main) {
  await runTool("headers", async (signal) => {
    const { help, suite, folder } = parseOptions(Deno.args);
    if (help) {
      console.log(usage);
      return 0;
    }
    // Without gcc the test would be skipped, and say nothing.
    requirePrograms(folder ? ["dpkg-deb"] : ["dpkg-deb", "gcc"]);
    const headers = await kernelHeaders(cacheFolder("headers"), suite, signal);
    if (!folder) return await compare(headers, signal);
    console.log(headers.folder);
    return 0;
  });
}
