/**
 * The kernel's headers as Debian packages them, of any suite. They are downloaded and unpacked, never
 * installed: what the machine compiles should not see a newer kernel's than its own.
 *
 * @module
 */

import { join } from "node:path";
import { openApt, unpackDebs } from "../support/apt.ts";
import { cached, hash } from "../support/cache.ts";
import { ToolError } from "../support/error.ts";
import { run } from "../support/process.ts";

const PACKAGE = "linux-libc-dev";

/** Folders of the package's that hold linux/kvm.h and all that it includes. */
const parts = ["linux", "asm-generic", "x86_64-linux-gnu/asm"];

/** A kernel's headers. */
export interface Headers {
  /** The include directory. */
  readonly folder: string;
  /** What they are from: the package with its version, and the suite. */
  readonly origin: string;
}

/** Downloads and unpacks a suite's, or finds it done. */
export async function kernelHeaders(
  folder: string,
  suite: string,
  signal?: AbortSignal,
): Promise<Headers> {
  const apt = await openApt(folder, [suite], signal);
  const [shown] = await apt.show(PACKAGE);
  if (shown === undefined) {
    throw new ToolError(
      `apt knows no ${PACKAGE} of ${suite}: Debian's archive may be out of reach`,
    );
  }
  const wanted = `${PACKAGE}=${shown.version}`;
  const origin = `${wanted} of ${suite}`;
  const name = `headers-${await hash([parts, wanted])}`;
  const path = await cached(folder, name, async (path) => {
    console.error(`headers: downloading ${origin} into ${folder}`);
    const debs = `${path}.debs`;
    await Deno.mkdir(debs);
    await apt.download([wanted], debs);
    await unpackHeaders(debs, path, signal);
  });
  return { folder: path, origin };
}

/** Makes one include directory of what is in the .deb files of a folder. */
export async function unpackHeaders(
  debs: string,
  target: string,
  signal?: AbortSignal,
): Promise<void> {
  const files = `${target}.files`;
  await unpackDebs(debs, files, signal);
  await Deno.mkdir(target);
  // A processor's headers may be links to another folder of the package.
  const sources = parts.map((part) => join(files, "usr/include", part));
  await run("cp", ["-rL", ...sources, target], { signal });
}
