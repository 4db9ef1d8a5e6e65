/**
 * `kvm info`: what the host's KVM can do.
 *
 * @module
 */

import { Kvm } from "../../kvm/mod.ts";
import { type Command, parse, Status, UsageError } from "../command.ts";
import type { Terminal } from "../terminal.ts";
import { collect, type Section, sections } from "./collect.ts";
import { render } from "./render.ts";

const DEVICE = "/dev/kvm";

const help = `Shows what the host's KVM can do.

Usage: kvm info [SECTION...] [OPTION...]

Sections; all of them unless some are named:
  limits         how many vCPUs, memory slots, bytes
  capabilities   what KVM_CHECK_EXTENSION answers, by name
  cpuid          processor features that guests can have
  msrs           model-specific registers that vCPUs have

Options:
  -a, --all      also what the host lacks, and MSRs that KVM does not list
  -j, --json     the same as JSON: numbers as numbers, MSRs' values as hexadecimal strings
  --device PATH  KVM's device; ${DEVICE} by default
  -h, --help     show this

Exit status: 0 done, 1 KVM can't be used, 2 wrong arguments.

Colours are for terminals, and off where NO_COLOR is set.

Examples:
  kvm info capabilities --all
  kvm info cpuid --json | jq -r '.cpuid.features[].name'
`;

function sectionOf(name: string): Section {
  const found = sections.filter((section) => section.startsWith(name));
  if (found[0] !== undefined && found.length === 1) return found[0];
  throw new UsageError(`There is no section "${name}": ${sections.join(", ")} are`);
}

/** `kvm info`. */
export const info: Command = {
  summary: "show what the host's KVM can do",
  help,
  run(args: readonly string[], terminal: Terminal): Status {
    const { values, positionals } = parse({
      args: [...args],
      allowPositionals: true,
      options: {
        all: { type: "boolean", short: "a", default: false },
        json: { type: "boolean", short: "j", default: false },
        device: { type: "string", default: DEVICE },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) {
      terminal.write(help);
      return Status.OK;
    }
    const named = positionals.map(sectionOf);
    using kvm = Kvm.open(values.device);
    const all = collect(kvm, values.device, named.length > 0 ? named : sections, values.all);
    terminal.write(values.json ? `${JSON.stringify(all, undefined, 2)}\n` : render(all, terminal));
    return Status.OK;
  },
};
