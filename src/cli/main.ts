/**
 * The command line: `deno task kvm`.
 *
 * @module
 */

import { KvmError } from "../../ffi/mod.ts";
import { type Command, Status, UsageError } from "./command.ts";
import { info } from "./info/mod.ts";
import { Terminal } from "./terminal.ts";

const commands: Readonly<Record<string, Command>> = { info };

function help(terminal: Terminal): string {
  const rows = Object.entries(commands).map(([name, { summary }]) => [name, summary]);
  return `Virtual machines on Linux KVM.

Usage: kvm COMMAND [ARGUMENT...]

Commands:
${terminal.table(rows)}
\`kvm COMMAND --help\` and \`kvm help COMMAND\` tell more.

Exit status: 0 done, 1 KVM can't be used or refused something, 2 wrong arguments.

Needs --allow-ffi, and access to /dev/kvm.
`;
}

function commandOf(name: string): Command {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command !== undefined) return command;
  throw new UsageError(`There is no command "${name}": see kvm --help`);
}

function dispatch([name, ...rest]: readonly string[], out: Terminal, err: Terminal): Status {
  if (name === undefined) {
    err.write(help(err));
    return Status.USAGE;
  }
  if (name === "help" || name === "--help" || name === "-h") {
    const topic = rest[0];
    out.write(topic === undefined ? help(out) : commandOf(topic).help);
    return Status.OK;
  }
  return commandOf(name).run(rest, out);
}

/** Runs a command line, and returns the exit status. What goes wrong is told on `err`. */
export function main(
  args: readonly string[],
  out: Terminal = new Terminal(Deno.stdout),
  err: Terminal = new Terminal(Deno.stderr),
): Status {
  try {
    return dispatch(args, out, err);
  } catch (error) {
    const [status, message] = describe(error);
    err.write(`${err.paint("red", "kvm:")} ${message}\n`);
    return status;
  }
}

/** What to say of an error, without a stack; others are bugs, and come with theirs. */
function describe(error: unknown): [Status, string] {
  if (error instanceof UsageError) return [Status.USAGE, error.message];
  if (error instanceof KvmError) return [Status.FAILED, error.message];
  if (error instanceof Deno.errors.NotCapable) {
    return [Status.FAILED, `${error.message.split(", ")[0]}: give deno run --allow-ffi`];
  }
  throw error;
}

if (import.meta.main) Deno.exit(main(Deno.args));
