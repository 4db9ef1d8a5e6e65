import { assert, assertEquals } from "@std/assert";
import type { IoExit } from "../../../src/kvm/mod.ts";
import { createBoard } from "../../../src/machine/board.ts";
import { MainDevices } from "../../../src/machine/main_devices.ts";
import { SharedState } from "../../../src/machine/shared/mod.ts";
import { handleExit } from "../../../src/machine/worker/exits.ts";
import type { GuestMemory } from "../../../src/memory/mod.ts";

const MORE_THAN_HALF = (32 << 10) + 1;

Deno.test("a vCPU waits for room in the ring that main has filled for it", () => {
  const lines = { set() {} };
  const shared = new SharedState(1);
  const board = createBoard(shared, { serialPorts: 1 }, lines);
  const mains = new SharedState(1, shared.buffer);
  const memory = { slots: [] } as unknown as GuestMemory;
  const mainsBoard = createBoard(mains, { serialPorts: 1 }, lines);
  const devices = new MainDevices(mains, mainsBoard, memory, (error) => {
    throw error;
  });
  devices.mapPorts(0x3f7, 1, { read: () => 0, write() {} });
  const data = Uint8Array.of(1, 2);
  const exit = { reason: "io", port: 0x3f7, size: 2, count: 1, data, direction: "out" };
  const access = exit as unknown as IoExit;
  // There is no other thread.
  shared.ask = () => devices.handle(access);
  const { output } = board.serial[0]!;
  let times = 0;
  // A vCPU that is to pause does not wait: it hears that there is no room.
  while (shared.awaitRoom(0) && times <= MORE_THAN_HALF) {
    handleExit(access, shared, board, 0);
    times++;
  }
  assertEquals([times, output.length], [MORE_THAN_HALF, MORE_THAN_HALF]);
  assert(output.takeAll().every((byte) => byte === 2));
});
