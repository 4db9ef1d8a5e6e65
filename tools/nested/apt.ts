/**
 * Which of Debian's packages run inside, as apt knows them.
 *
 * @module
 */

import { type AptPackage, openApt } from "../support/apt.ts";
import { NestedError } from "./error.ts";

/** Depends on the package of the kernel proper, whose name has the kernel's version. */
const KERNEL = "linux-image-cloud-amd64";
const BUSYBOX = "busybox-static";
const MEMTEST = "memtest86+";

/** Where packages come from: a name for the cache, and putting the .deb files into a folder. */
export interface Source {
  readonly inputs: unknown;
  fetch(folder: string): Promise<void>;
}

/** `name=version` of each package to download. */
export function wantedPackages(shown: readonly AptPackage[]): string[] {
  const others = [BUSYBOX, MEMTEST].map((name) => shown.find((each) => each.name === name));
  const kernel = shown.find(({ name }) => name === KERNEL)?.depends;
  const [, name, version] = /(linux-image-\S+) \(= ([^)]+)\)/.exec(kernel ?? "") ?? [];
  if (!name || !version || others.includes(undefined)) {
    throw new NestedError(
      `apt knows no ${KERNEL}, ${BUSYBOX} or ${MEMTEST}: run apt-get update as root, or, where the ` +
        `distribution has no such packages, download Debian's and name their folder with --debs`,
    );
  }
  return [{ name, version }, ...others].flatMap((wanted) =>
    wanted === undefined ? [] : [`${wanted.name}=${wanted.version}`]
  );
}

/** `name=version` of the packages that a newer kernel's own is made of; none of an older one's. */
export function kernelParts({ depends }: AptPackage): string[] {
  const parts = depends.matchAll(/(linux-(?:binary|modules)-\S+) \(= ([^)]+)\)/g);
  return Array.from(parts, ([, name, version]) => `${name}=${version}`);
}

/** A suite and those that have the rest: backports have no more than what they renew. */
export function wholeSuite(suite: string): string[] {
  return [...new Set([suite, suite.replace(/-backports$/, "")])];
}

/** What apt downloads. It fails later where it knows none of them. */
export async function fromApt(
  folder: string,
  suite: string | undefined,
  signal?: AbortSignal,
): Promise<Source> {
  const apt = await openApt(folder, suite === undefined ? [] : wholeSuite(suite), signal);
  const [kernel, ...others] = wantedPackages(await apt.show(KERNEL, BUSYBOX, MEMTEST));
  const [shown] = await apt.show(kernel!);
  const wanted = [kernel!, ...shown === undefined ? [] : kernelParts(shown), ...others];
  return {
    inputs: wanted,
    fetch: async (target) => {
      console.error(`nested: downloading ${wanted.join(", ")} into ${folder}`);
      await apt.download(wanted, target);
    },
  };
}
