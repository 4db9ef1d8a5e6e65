import { assertEquals } from "@std/assert";
import { RTC, RTC_B } from "../../src/devices/mod.ts";
import { Port } from "../../src/firmware/layout/mod.ts";
import { createBoard } from "../../src/machine/board.ts";
import { Bell, SharedState } from "../../src/machine/shared/mod.ts";

const lines = { set() {} };

/** The boards that two vCPUs' threads have of one machine. */
function twoBoards() {
  const shared = new SharedState(2);
  const boards = [shared, new SharedState(2, shared.buffer)].map((state) =>
    createBoard(state, { serialPorts: 1 }, lines)
  );
  /** Whether main is told of an access of a vCPU's that writes a register of the clock. */
  const tellsMain = (vcpu: number, register: number, value: number): boolean => {
    const { ports, afterAccess } = boards[vcpu]!;
    const region = ports.find(Port.RTC)!;
    // Index and data at once: no access comes in between.
    region.device.write(0, 2, value << 8 | register);
    afterAccess(region);
    return (shared.takeBell() & Bell.TIMER) !== 0;
  };
  return { shared, tellsMain };
}

Deno.test("main is told of a deadline that comes back, whichever vCPUs' accesses moved it", () => {
  const { shared, tellsMain } = twoBoards();
  // An alarm at another time than now, so that it is due at the same moment each time.
  const hours = (new Date().getUTCHours() + 12) % 24;
  const bcd = Math.floor(hours / 10) << 4 | hours % 10;
  for (const [register, value] of [[RTC.HOURS_ALARM, bcd], [RTC.SECONDS_ALARM, 0]] as const) {
    tellsMain(0, register, value);
  }
  tellsMain(0, RTC.MINUTES_ALARM, 0);
  assertEquals(tellsMain(0, RTC.B, RTC_B.HOURS_24 | RTC_B.AIE), true);
  const { deadline } = shared;
  assertEquals(tellsMain(1, RTC.B, RTC_B.HOURS_24 | RTC_B.AIE), false);
  assertEquals(tellsMain(1, RTC.B, RTC_B.HOURS_24), true);
  assertEquals(shared.deadline, Infinity);
  assertEquals(tellsMain(0, RTC.B, RTC_B.HOURS_24 | RTC_B.AIE), true);
  assertEquals(shared.deadline, deadline);
});
