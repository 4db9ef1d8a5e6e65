/**
 * Boots the long-mode guest `guests/hello.asm` and shows what it printed, why it exited, and its
 * registers at the end.
 *
 *     deno run --allow-ffi examples/hello.ts
 */

import { formatRegisters, guests, Kvm, longMode } from "../mod.ts";

using kvm = Kvm.open();
using vm = kvm.createVm();
const memory = vm.addMemory({ size: 2 << 20 });
using vcpu = vm.createVcpu(0);

longMode(vcpu, memory, { code: guests.hello });

let printed = "";
const exits = new Map<string, number>();
run: for (;;) {
  const exit = vcpu.run();
  exits.set(exit.reason, (exits.get(exit.reason) ?? 0) + 1);
  switch (exit.reason) {
    case "io":
      printed += String.fromCharCode(exit.value);
      break;
    case "hlt":
      break run;
    default:
      throw new Error(`unexpected exit: ${Deno.inspect(exit)}`);
  }
}

console.log(`The guest printed: ${printed.trimEnd()}`);
console.log(`Its exits: ${[...exits].map(([reason, count]) => `${count} ${reason}`).join(", ")}`);
console.log(`It left ${memory.readU32(0x2000)} at address 0x2000, and these registers:\n`);
console.log(formatRegisters(vcpu.getRegs(), vcpu.getSregs()));
