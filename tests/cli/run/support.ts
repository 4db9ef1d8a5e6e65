/**
 * `kvm run` and its guests.
 *
 * @module
 */

import { argsOf, kvm, type Result } from "../support.ts";

/** The permissions that it asks for in any case. */
export const allow: readonly string[] = ["--allow-ffi", "--allow-read"];

const decoder = new TextDecoder();

/** Files of a test, by name; the folder is gone afterwards. */
export async function withFiles(
  files: Readonly<Record<string, ArrayLike<number> | string>>,
  action: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, content] of Object.entries(files)) {
      const bytes = typeof content === "string"
        ? new TextEncoder().encode(content)
        : Uint8Array.from(content);
      await Deno.writeFile(`${folder}/${name}`, bytes);
    }
    await action(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** `kvm run` as a process, in a folder. */
export function spawn(
  cwd: string,
  args: readonly string[],
  permissions = allow,
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: argsOf(permissions, ["run", ...args]),
    cwd,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
}

/** The same to its end, with a text as its input. */
export async function run(
  cwd: string,
  args: readonly string[],
  { input = "", permissions = allow }: { input?: string; permissions?: readonly string[] } = {},
): Promise<Result> {
  const child = spawn(cwd, args, permissions);
  const writer = child.stdin.getWriter();
  // It may end without having read.
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs a guest of flat 64-bit code. */
export async function runCode(
  code: ArrayLike<number>,
  args: readonly string[] = [],
  options: { input?: string; permissions?: readonly string[] } = {},
): Promise<Result> {
  let result: Result | undefined;
  await withFiles({ "guest.bin": code }, async (folder) => {
    result = await run(folder, ["guest.bin", "--protocol", "flat64", ...args], options);
  });
  return result!;
}

/**
 * The same within this process, for what is no matter of the process: it takes a tenth of the time.
 * The console goes to a file.
 */
export async function runHere(
  code: ArrayLike<number>,
  args: readonly string[] | ((folder: string) => readonly string[]) = [],
  files: Readonly<Record<string, string>> = {},
): Promise<Result> {
  let result: Result | undefined;
  await withFiles({ "guest.bin": code, ...files }, async (folder) => {
    const guest = [`${folder}/guest.bin`, "--protocol", "flat64"];
    const more = typeof args === "function" ? args(folder) : args;
    const { code, stderr } = await kvm("run", ...guest, "--serial", `file:${folder}/out`, ...more);
    result = { code, stdout: await Deno.readTextFile(`${folder}/out`), stderr };
  });
  return result!;
}
