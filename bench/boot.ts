/**
 * How long a stock Linux takes from the start of the process to userspace's first line, beside QEMU
 * with the same kernel, initial ramdisk, memory and vCPUs.
 *
 * It needs a KVM that can run a stock kernel, the guests in KVM_TEST_GUESTS, and QEMU: docs/nested.md
 * says how to get all three.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { busyboxInitrd } from "../tests/support/initramfs.ts";

const usage = `Measures the time to userspace's first line, beside QEMU.

Usage: deno task bench:boot [--rounds N] [--cpus N] [--memory MIB] [--cli FILE]

  --rounds N     measure each N times, by turns (3); the first round, which fills caches, is not counted
  --cpus N       vCPUs (1)
  --memory MIB   MiB of memory (256)
  --cli FILE     the kvm command: src/cli/main.ts, or a bundle of it (dist/kvm.js if it is there)
  --help         show this

Needs KVM_TEST_GUESTS, qemu-system-x86_64, and a KVM that runs a stock kernel. In the emulated machine
there are all three:

  deno task bundle && deno task nested --with-qemu -- \\
    deno run --allow-all --no-check --cached-only bench/boot.ts`;

function parse() {
  try {
    const { values } = parseArgs({
      options: {
        rounds: { type: "string", default: "3" },
        cpus: { type: "string", default: "1" },
        memory: { type: "string", default: "256" },
        cli: { type: "string" },
        help: { type: "boolean" },
      },
    });
    return values;
  } catch (error) {
    end(`${error instanceof Error ? error.message : error}\n\n${usage}`);
  }
}

/** What is missing, or went wrong with what is measured, is no matter of this program's stack. */
function end(message: string): never {
  console.error(message);
  Deno.exit(1);
}

const values = parse();
if (values.help) {
  console.log(usage);
  Deno.exit(0);
}

const folder = Deno.env.get("KVM_TEST_GUESTS");
if (folder === undefined) {
  end("Set KVM_TEST_GUESTS to a folder with vmlinuz and busybox: see docs/nested.md");
}
const busybox = await Deno.readFile(`${folder}/busybox`).catch(({ message }) => end(message));

const READY = "USERSPACE";
const kernel = `${folder}/vmlinuz`;
const initrd = await Deno.makeTempFile();
addEventListener("unload", () => Deno.removeSync(initrd));
const script = `#!/bin/busybox sh\necho ${READY}\nexec /bin/busybox poweroff -f\n`;
await Deno.writeFile(initrd, busyboxInitrd(busybox, script));
const append = "console=ttyS0 quiet panic=-1";
const { cpus, memory } = values;

const [source, bundle] = ["../src/cli/main.ts", "../dist/kvm.js"].map((path) =>
  new URL(path, import.meta.url).pathname
);
const hasBundle = await Deno.stat(bundle!).then(() => true, () => false);
const cli = values.cli ?? (hasBundle ? bundle! : source!);
console.log(`kvm is ${cli}`);
const common = ["-accel", "kvm", "-cpu", "host", "-nodefaults", "-no-user-config", "-display"];
const rest = ["none", "-serial", "stdio", "-no-reboot", "-m", memory, "-smp", cpus];
const boot = ["-kernel", kernel, "-initrd", initrd, "-append", append];
const qemu = ["qemu-system-x86_64", ...common, ...rest, ...boot];
const contestants: Readonly<Record<string, readonly string[]>> = {
  "kvm run": [
    ...[Deno.execPath(), "run", "--no-check", "--allow-ffi", "--allow-read", cli, "run"],
    ...["--kernel", kernel, "--initrd", initrd, "--append", append],
    ...["--memory", `${memory}M`, "--cpus", cpus],
  ],
  "qemu -M microvm": [...qemu, "-M", "microvm"],
  "qemu -M pc": [...qemu, "-M", "pc"],
};

/**
 * MiB that a process takes beside the guest's memory, which is the mapping of that size; QEMU's may
 * have some pages more.
 */
async function ownMemory(pid: number): Promise<number> {
  const maps = await Deno.readTextFile(`/proc/${pid}/smaps`).catch(() => "");
  const guest = Number(memory) * 1024;
  let total = 0;
  for (const [, size, rss] of maps.matchAll(/^Size: +(\d+) kB[^]*?^Rss: +(\d+) kB/gm)) {
    const isGuest = Number(size) >= guest && Number(size) < guest + 2048;
    if (!isGuest) total += Number(rss);
  }
  return total / 1024;
}

function spawn(command: readonly string[]): Deno.ChildProcess {
  try {
    return new Deno.Command(command[0]!, {
      args: command.slice(1),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    end(error instanceof Error ? error.message : String(error));
  }
}

/** Milliseconds from the start of a process to userspace's first line, and its own MiB then. */
async function measure(
  name: string,
  command: readonly string[],
): Promise<{ time: number; rss: number }> {
  const start = performance.now();
  const process = spawn(command);
  let text = "";
  let time = NaN;
  let rss = 0;
  const errors = new Response(process.stderr).text();
  for await (const chunk of process.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (!Number.isNaN(time) || !text.includes(READY)) continue;
    time = performance.now() - start;
    rss = await ownMemory(process.pid);
  }
  const { code } = await process.status;
  if (Number.isNaN(time)) {
    // It begins with what went wrong, and the registers follow.
    const [reason] = `${await errors}${text}`.trimStart().split("\n");
    end(`${name} ended with ${code} before userspace: ${reason}`);
  }
  return { time, rss };
}

const times: Record<string, number[]> = {};
for (let round = 0; round <= Number(values.rounds); round++) {
  for (const [name, command] of Object.entries(contestants)) {
    const { time, rss } = await measure(name, command);
    const own = `${rss.toFixed(0)} MiB beside the guest's`;
    console.log(`${name.padEnd(18)} ${(time / 1000).toFixed(2)} s, ${own}`);
    if (round > 0) (times[name] ??= []).push(time);
  }
}
console.log();
const medians = Object.entries(times).map(([name, all]) => {
  const median = all.toSorted((a, b) => a - b)[all.length >> 1]!;
  console.log(`${name.padEnd(18)} median ${(median / 1000).toFixed(2)} s of ${all.length}`);
  return median;
});
const [own, ...others] = medians;
if (own !== undefined) {
  console.log(`kvm run takes ${(own / Math.min(...others)).toFixed(2)} x the faster QEMU`);
}
