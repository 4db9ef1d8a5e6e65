/**
 * The outer VM: QEMU, which emulates an AMD processor with SVM, so that kvm_amd works inside.
 *
 * @module
 */

import { join } from "node:path";
import { start, throwIfInterrupted } from "../support/process.ts";
import { NestedError } from "./error.ts";
import { processorOf } from "./processors.ts";
import { ROOT_ID } from "./root.ts";

/** An idle 2-core machine boots in 4 s. */
const BOOT_LIMIT = 90;
/** It says every 5 s that it goes on. */
const PATIENCE = 60;
const CONSOLE_LINES = 40;

export interface Machine {
  /** The kernel's image. */
  readonly kernel: string;
  /** Disks; the first is the root, which others use, too, and is left as it is. */
  readonly disks: readonly string[];
  /** A folder of this run's own. */
  readonly folder: string;
  /** Seconds until it is cut off; none if 0. */
  readonly limit: number;
  /** Where the command's output goes; undefined to give it the terminal, keys and all. */
  readonly output: ((bytes: Uint8Array) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Which machine of the run it is, for its processor: see processors.ts. The first by default. */
  readonly index?: number;
  /** Seconds that it may say nothing before it counts as stuck; a minute by default. */
  readonly patience?: number;
}

/** How the command ended. */
export interface Ending {
  /** Its exit status. */
  readonly status: number;
  /** Seconds from the kernel's first instruction to the command's. */
  readonly boot: number;
}

/** The machine was cut off. */
export class LimitError extends NestedError {
  override name = "LimitError";
  override readonly status = 124;
}

/**
 * The machine stands still: QEMU's processor does so when it has lost an interrupt, see processors.ts.
 */
export class StuckError extends NestedError {
  override name = "StuckError";
}

/**
 * Boots it, lets the command run to its end, and says how it ended.
 *
 * @throws {LimitError} at the limit.
 * @throws {StuckError} if it says nothing any more.
 * @throws {NestedError} if it ends without a word. Both show the console's last lines.
 */
export async function runMachine(machine: Machine): Promise<Ending> {
  machine.signal?.throwIfAborted();
  const { folder, limit, output, index = 0, patience = PATIENCE } = machine;
  const result = join(folder, "result");
  await Deno.writeTextFile(result, "");
  const terminal = output ? undefined : await stty("-g");
  const pinned = ["--cpu-list", `${processorOf(index)}`, "qemu-system-x86_64"];
  const qemu = start("taskset", [...pinned, ...qemuArguments(machine)], {
    stdin: output ? "null" : "inherit",
    stdout: output ? "piped" : "inherit",
    env: { TMPDIR: folder },
  });
  let cutOff: NestedError | undefined;
  const kill = (why?: NestedError) => {
    cutOff ??= why;
    try {
      qemu.kill("SIGKILL");
    } catch (error) {
      // It has just ended by itself.
      if (!(error instanceof TypeError)) throw error;
    }
  };
  const onAbort = () => kill();
  machine.signal?.addEventListener("abort", onAbort);
  const bootSeconds = limit === 0 ? BOOT_LIMIT : Math.min(limit, BOOT_LIMIT);
  const bootTimer = setTimeout(() => {
    if (readResult(result).boot !== undefined) return;
    kill(new LimitError(`The nested machine did not boot within ${bootSeconds} s.`));
  }, bootSeconds * 1000);
  const timer = limit === 0 ? undefined : setTimeout(
    () => kill(new LimitError(`The nested machine was cut off after ${limit} s.`)),
    limit * 1000,
  );
  const watch = watchResult(result, patience, () => {
    kill(new StuckError(`The nested machine has said nothing for ${patience} s: QEMU is stuck.`));
  });
  try {
    if (output) { for await (const bytes of qemu.stdout) output(bytes); }
    const ended = await qemu.status;
    machine.signal?.throwIfAborted();
    throwIfInterrupted(ended);
    if (cutOff !== undefined) {
      cutOff.message += ` ${consoleTail(folder)}`;
      throw cutOff;
    }
    const { status, boot } = readResult(result);
    if (status !== undefined) return { status, boot: boot ?? 0 };
    if (!ended.success) throw new NestedError(`QEMU failed with status ${ended.code}`);
    throw new NestedError(`The nested machine ended and left no status. ${consoleTail(folder)}`);
  } finally {
    clearTimeout(bootTimer);
    clearTimeout(timer);
    clearInterval(watch);
    machine.signal?.removeEventListener("abort", onAbort);
    // Whatever went wrong out here, it must not go on writing.
    kill();
    await qemu.status;
    if (terminal !== undefined) await stty(terminal);
  }
}

/** The command line; serial ports are as init.sh has them. */
export function qemuArguments({ kernel, disks, folder, output }: Machine): string[] {
  return [
    // With more than one processor TCG hangs.
    ...["-machine", "q35", "-accel", "tcg,tb-size=512", "-cpu", model, "-smp", "1"],
    ...["-m", "1G", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"],
    ...["-kernel", kernel, "-append", kernelArguments.join(" ")],
    ...disks.flatMap((path, index) => [
      "-drive",
      `file=${escape(path)},format=raw,if=none,id=disk${index},` +
      (index === 0 ? "snapshot=on" : "cache=unsafe"),
      "-device",
      `nvme,drive=disk${index},serial=disk${index}`,
    ]),
    ...["-chardev", `file,id=console,path=${escape(join(folder, "console"))}`],
    ...["-chardev", `stdio,id=terminal,${output ? "signal=on" : "signal=off,mux=on"}`],
    ...["-chardev", `file,id=result,path=${escape(join(folder, "result"))}`],
    ...["console", "terminal", "result"].flatMap((id) => ["-serial", `chardev:${id}`]),
  ];
}

/**
 * All that TCG can emulate, without what makes it slow: a REP prefix is emulated by the element, and
 * each WRPKRU, which V8 does for every piece of code that it makes, empties the TLB. Five levels of
 * page tables are more than its SVM has.
 */
const model = "max,la57=off,pku=off,erms=off,fsrm=off";

const kernelArguments = [
  ...["console=ttyS0", "quiet"],
  ...[
    `root=PARTUUID=${ROOT_ID.toString(16)}-01`,
    "rootwait",
    "rw",
    "rootfstype=ext4",
    "init=/init",
  ],
  // A panic ends QEMU, by way of -no-reboot.
  "panic=-1",
  // Memory is cleared and copied by loops rather than REP, as above.
  "clearcpuid=rep_good",
  // A program that is always at the same addresses is translated once and not in each process.
  ...["norandmaps", "nokaslr"],
  // A VM that is made or closed waits for RCU; otherwise it waits for ticks of a clock.
  "rcupdate.rcu_expedited=1",
  ...["mitigations=off", "tsc=reliable"],
];

/** QEMU's options end at a comma; a doubled one stands for itself. */
function escape(path: string): string {
  return path.replaceAll(",", ",,");
}

/** Calls `onStuck` when a machine that has booted adds nothing to its result for so many seconds. */
function watchResult(path: string, patience: number, onStuck: () => void) {
  let length = 0;
  let since = performance.now();
  return setInterval(() => {
    const text = Deno.readTextFileSync(path);
    if (text.length !== length || !text.startsWith("booted")) {
      length = text.length;
      since = performance.now();
    } else if (performance.now() - since > patience * 1000) onStuck();
  }, Math.min(patience * 100, 5000));
}

function readResult(path: string): Partial<Ending> {
  const text = Deno.readTextFileSync(path);
  const boot = /^booted ([\d.]+)\s*$/m.exec(text)?.[1];
  const status = /^status (\d+)\s*$/m.exec(text)?.[1];
  return {
    ...(boot !== undefined && { boot: Number(boot) }),
    ...(status !== undefined && { status: Number(status) }),
  };
}

function consoleTail(folder: string): string {
  let text = "";
  try {
    text = Deno.readTextFileSync(join(folder, "console"));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const lines = text.split(/[\r\n]+/).filter((line) => line.trim() !== "").slice(-CONSOLE_LINES);
  if (lines.length === 0) return "Its console was silent.";
  return `Its console's last lines:\n${lines.map((line) => `  ${line}`).join("\n")}`;
}

/** QEMU sets the terminal up for itself, and killed it can't set it back. */
async function stty(argument: string): Promise<string> {
  const command = new Deno.Command("stty", { args: [argument], stdin: "inherit" });
  return new TextDecoder().decode((await command.output()).stdout).trim();
}
