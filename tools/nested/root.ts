/**
 * The root disk: BusyBox, Deno with its libraries, the kernel's modules, and the first process.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { cached, hash } from "./cache.ts";
import { makeImage } from "./ext4.ts";
import type { Unpacked } from "./packages.ts";
import { run } from "./process.ts";

const FREE = 16 << 20;
const mountPoints = ["proc", "sys", "dev", "tmp", "job", "root"];
const etc = {
  "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
  "etc/hosts": "127.0.0.1 localhost\n",
} as const;

/** The image's path; it is made when there is none of these very files. */
export async function rootImage(
  folder: string,
  { busybox, modules }: Unpacked,
  signal?: AbortSignal,
): Promise<string> {
  const init = await Deno.readTextFile(new URL("init.sh", import.meta.url));
  const deno = Deno.execPath();
  const files: [to: string, from: string][] = [
    ["bin/busybox", busybox],
    ["bin/deno", deno],
    ...(await libraries(deno, signal)).map((path): [string, string] => [path, path]),
    ...modules.map((path): [string, string] => [path.slice(dirname(dirname(path)).length), path]),
  ];
  const inputs = files.map(([to, from]) => {
    const { size, mtime } = Deno.statSync(from);
    return [to, from, size, mtime?.getTime()];
  });
  const key = await hash([init, etc, mountPoints, FREE, Deno.version.deno, inputs]);
  return await cached(folder, `root-${key}.img`, async (image) => {
    const root = `${image}.files`;
    for (const path of [...mountPoints, "etc"]) {
      await Deno.mkdir(join(root, path), { recursive: true });
    }
    for (const [to, from] of files) {
      await Deno.mkdir(join(root, dirname(to)), { recursive: true });
      await Deno.copyFile(from, join(root, to));
    }
    for (const [to, text] of Object.entries(etc)) await Deno.writeTextFile(join(root, to), text);
    await Deno.writeTextFile(join(root, "init"), init, { mode: 0o755 });
    const applets = new TextDecoder().decode(await run(busybox, ["--list"], { signal }));
    for (const name of applets.trim().split("\n")) {
      if (name !== "busybox") await Deno.symlink("busybox", join(root, "bin", name));
    }
    await makeImage(root, image, FREE, signal);
  });
}

/** The shared libraries that a program loads, the loader among them. */
async function libraries(program: string, signal?: AbortSignal): Promise<string[]> {
  const listed = new TextDecoder().decode(await run("ldd", [program], { signal }));
  return [...listed.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path!);
}
