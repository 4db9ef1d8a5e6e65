/**
 * Scripts that could crash, in a process of their own.
 *
 * @module
 */

import { assert } from "@std/assert";
import { runScript, specifier } from "../support/subprocess.ts";

/** What every script begins with: a machine whose guest writes to port 0xe0 for ever. */
const prelude = `
  import { Kvm, copyExit } from ${specifier("src/kvm/mod.ts")};
  import { longMode } from ${specifier("src/boot/mod.ts")};
  import { guests } from ${specifier("guests/mod.ts")};
  const attempt = (action) => { try { return action(); } catch (error) { return error; } };
  const kvm = Kvm.open();
  const vm = kvm.createVm();
  const memory = vm.addMemory({ size: 2 << 20 });
  const vcpu = vm.createVcpu(0);
  longMode(vcpu, memory, { code: guests.ports });
  const exit = vcpu.run();`;

/** Runs a script after the prelude; it must reach its end. */
export async function survives(text: string): Promise<string> {
  const { code, signal, stdout, stderr } = await runScript(
    `${prelude}\n${text}\nconsole.log("survived");`,
    { args: ["--allow-all"] },
  );
  assert(code === 0 && stdout.includes("survived"), `${signal ?? code}\n${stdout}${stderr}`);
  return stdout;
}
