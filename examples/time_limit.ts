/**
 * A guest that never ends, under a time limit: once on this thread, once beside the event loop.
 *
 *     deno run --allow-ffi examples/time_limit.ts
 */

import { guests, Kvm, longMode } from "../mod.ts";

using kvm = Kvm.open();
using vm = kvm.createVm();
const memory = vm.addMemory({ size: 2 << 20 });
using vcpu = vm.createVcpu(0);
longMode(vcpu, memory, { code: guests.spin });

console.log(vcpu.run({ timeout: 50 }).reason, "after 50 ms on this thread");

let ticks = 0;
const timer = setInterval(() => ticks++, 10);
console.log((await vcpu.runAsync({ timeout: 100 })).reason, "after 100 ms on another thread");
clearInterval(timer);
console.log("meanwhile this one went on:", ticks > 0);
