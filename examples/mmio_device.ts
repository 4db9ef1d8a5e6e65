/**
 * A device in a dozen lines: a counter at a guest-physical address without memory. The guest reads it
 * eight bytes at a time; each read is an exit, and its value is what the device answers.
 *
 *     deno run --allow-ffi examples/mmio_device.ts
 */

import { guests, Kvm, longMode } from "../mod.ts";

const COUNTER = 0xd000_0000;

using kvm = Kvm.open();
using vm = kvm.createVm();
const memory = vm.addMemory({ size: 2 << 20 });
using vcpu = vm.createVcpu(0);

let reads = 0n;
for (let round = 0; round < 3; round++) {
  // The guest copies 8 bytes from RSI to RDI: from the device into its memory.
  const registers = { rsi: BigInt(COUNTER), rdi: 0x3000n };
  longMode(vcpu, memory, { code: guests.copy, registers });
  for (let exit = vcpu.run(); exit.reason !== "hlt"; exit = vcpu.run()) {
    if (exit.reason !== "mmio" || exit.physAddr !== COUNTER) {
      throw new Error(`unexpected exit: ${Deno.inspect(exit)}`);
    }
    if (!exit.isWrite) exit.bigValue = ++reads;
  }
  console.log(`the guest read ${memory.readU64(0x3000)}`);
}
