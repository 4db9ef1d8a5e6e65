/**
 * The command line: `deno task kvm`.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import { KvmError } from "../../ffi/mod.ts";
import { type Command, Failure, Status, UsageError } from "./command.ts";
import { info } from "./info/mod.ts";
import { run } from "./run/mod.ts";
import { OutputError, Terminal } from "./terminal.ts";

const commands: Readonly<Record<string, Command>> = { info, run };

function help(terminal: Terminal): string {
  const rows = Object.entries(commands).map(([name, { summary }]) => [name, summary]);
  return `Virtual machines on Linux KVM.

Usage: kvm COMMAND [ARGUMENT...]

Commands:
${terminal.table(rows)}
\`kvm COMMAND --help\` and \`kvm help COMMAND\` tell more; \`kvm --version\` tells the version.

Exit status: 0 done, 1 KVM can't be used or refused something, 2 wrong arguments.
\`kvm run\` ends as its guest does: see there.

Needs --allow-ffi, and access to /dev/kvm; \`kvm run\` needs --allow-read as well.
`;
}

function commandOf(name: string): Command {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command !== undefined) return command;
  throw new UsageError(`There is no command "${name}": see kvm --help`);
}

async function dispatch(
  [name, ...rest]: readonly string[],
  out: Terminal,
  err: Terminal,
): Promise<number> {
  if (name === undefined) {
    err.write(help(err));
    return Status.USAGE;
  }
  if (name === "help" || name === "--help" || name === "-h") {
    const topic = rest[0];
    out.write(topic === undefined ? help(out) : commandOf(topic).help);
    return Status.OK;
  }
  if (name === "--version" || name === "-V") {
    out.write(`kvm ${config.version}\n`);
    return Status.OK;
  }
  const command = commandOf(name);
  try {
    return await command.run(rest, out, err);
  } catch (error) {
    if (command.failed === undefined || error instanceof Failure) throw error;
    throw new Failure(describe(error)[1], command.failed);
  }
}

/** Runs a command line, and returns the exit status. What goes wrong is told on `err`. */
export async function main(
  args: readonly string[],
  out: Terminal = new Terminal(Deno.stdout),
  err: Terminal = new Terminal(Deno.stderr),
): Promise<number> {
  try {
    return await dispatch(args, out, err);
  } catch (error) {
    const [status, message] = describe(error);
    complain(err, `${err.paint("red", "kvm:")} ${message}\n`);
    return status;
  }
}

/** Where even that can't be written, the exit status alone tells. */
function complain(err: Terminal, message: string): void {
  try {
    err.write(message);
  } catch (error) {
    if (!(error instanceof OutputError)) throw error;
  }
}

/** What to say of an error, without a stack; others are bugs, and come with theirs. */
function describe(error: unknown): [number, string] {
  if (error instanceof Failure) return [error.status, error.message];
  if (error instanceof UsageError) return [Status.USAGE, error.message];
  if (error instanceof OutputError) {
    return [Status.FAILED, `cannot write the output: ${error.message}`];
  }
  if (error instanceof KvmError) return [Status.FAILED, error.message];
  if (error instanceof Deno.errors.NotCapable) {
    const flag = /--allow-[a-z]+/.exec(error.message)?.[0] ?? "--allow-ffi";
    return [Status.FAILED, `${error.message.split(", ")[0]}: give deno run ${flag}`];
  }
  throw error;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
