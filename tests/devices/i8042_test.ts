import { assert, assertEquals } from "@std/assert";
import {
  type I8042,
  I8042_COMMAND,
  I8042_CONFIG,
  I8042_OUTPUT,
  I8042_STATUS,
  i8042State,
  KEYBOARD,
  press,
} from "../../src/devices/mod.ts";
import { controller, DATA, make, STATUS } from "./controller.ts";
import { stands } from "./support.ts";

stands<I8042>({
  name: "a keyboard controller",
  make,
  offsets: [DATA, STATUS],
  table: i8042State,
  values: [
    ...[0x00, 0x01, 0x02, 0x20, 0x60, 0xa9, 0xaa, 0xab, 0xad, 0xae, 0xc0, 0xd0, 0xd1, 0xd2, 0xd3],
    ...[0xd4, 0xdd, 0xdf, 0xe0, 0xed, 0xee, 0xf0, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xfe, 0xff, 0x65],
  ],
  actions: [
    (i8042, random) => i8042.key([random & 0xff, random >> 8 & 0xff]),
    (i8042) => i8042.type("Ab"),
  ],
  check({ state, room }, { level }) {
    const { keyboard } = state;
    assert(keyboard.count <= 16 && keyboard.head < 16 && keyboard.replyCount <= 4);
    assertEquals(room, 16 - keyboard.count);
    assert([1, 2].includes(keyboard.set) && keyboard.leds < 8);
    assertEquals(state.interrupt === 1, level);
    assertEquals(
      level,
      state.full === 1 && (state.ram[0]! & I8042_CONFIG.KEYBOARD_INTERRUPT) !== 0,
    );
    assert((state.ram[0]! & I8042_CONFIG.AUX_DISABLED) !== 0, "there is no auxiliary device");
  },
  forget({ keyboard }) {
    keyboard.queue.fill(0);
    keyboard.replies.fill(0);
  },
});

Deno.test("after power-on the status says: nothing to read, self test passed, not locked", () => {
  const { status, answers } = controller();
  assertEquals(status(), I8042_STATUS.SYSTEM | I8042_STATUS.UNLOCKED);
  assertEquals(answers(), []);
});

Deno.test("self test and interface test pass, and there is no auxiliary device", () => {
  const { command, answers } = controller();
  const tests = [
    [I8042_COMMAND.SELF_TEST, I8042_COMMAND.SELF_TEST_PASSED],
    [I8042_COMMAND.TEST_KEYBOARD, 0],
    [I8042_COMMAND.TEST_AUX, I8042_COMMAND.CLOCK_STUCK_LOW],
    [I8042_COMMAND.TEST_PASSWORD, I8042_COMMAND.NO_PASSWORD],
  ] as const;
  for (const [test, answer] of tests) {
    command(test);
    assertEquals(answers(), [answer]);
  }
});

Deno.test("a driver that looks for an auxiliary port finds none", () => {
  // Linux: AUX_LOOP must answer in the auxiliary buffer, or else the test of the lines must pass.
  const { command, status, answers } = controller();
  command(I8042_COMMAND.WRITE_AUX_BUFFER, 0x5a);
  assertEquals(status() & (I8042_STATUS.OUTPUT_FULL | I8042_STATUS.AUX_FULL), 1);
  assertEquals(answers(), [0x5a]);
  for (const toggle of [I8042_COMMAND.ENABLE_AUX, I8042_COMMAND.DISABLE_AUX]) {
    command(toggle);
    command(I8042_COMMAND.READ_RAM);
    assertEquals(answers()[0]! & I8042_CONFIG.AUX_DISABLED, I8042_CONFIG.AUX_DISABLED);
  }
  command(I8042_COMMAND.WRITE_AUX, 0xff);
  assertEquals(answers(), []);
});

Deno.test("the configuration and the rest of the memory can be written and read", () => {
  const { command, answers } = controller();
  command(I8042_COMMAND.WRITE_RAM, 0xff);
  command(I8042_COMMAND.READ_RAM);
  const { AUX_INTERRUPT } = I8042_CONFIG;
  assertEquals(answers(), [0x7f & ~AUX_INTERRUPT]);
  command(I8042_COMMAND.WRITE_RAM + 31, 0xab);
  command(I8042_COMMAND.READ_RAM + 31);
  assertEquals(answers(), [0xab]);
});

Deno.test("the status tells a command from data", () => {
  const { command, send, status } = controller();
  command(I8042_COMMAND.ENABLE_KEYBOARD);
  assertEquals(status() & I8042_STATUS.COMMANDED, I8042_STATUS.COMMANDED);
  send(KEYBOARD.ECHO);
  assertEquals(status() & I8042_STATUS.COMMANDED, 0);
});

Deno.test("a byte to read raises the interrupt, reading lowers it, and the next one is an edge", () => {
  const { wires, i8042 } = controller();
  i8042.key(press("ArrowUp"));
  assertEquals(wires.log, ["raise"]);
  assertEquals(i8042.read(DATA, 1), 0xe0);
  assertEquals(wires.log, ["raise", "lower", "raise"]);
  assertEquals(i8042.read(DATA, 1), 0x48);
  assertEquals([wires.level, i8042.read(DATA, 1)], [false, 0x48]);
});

Deno.test("without its bit in the configuration there is no interrupt; with it, at once", () => {
  const { wires, i8042, command } = controller();
  command(I8042_COMMAND.WRITE_RAM, I8042_CONFIG.TRANSLATE);
  i8042.key(press("KeyA"));
  assertEquals(wires.rises, 0);
  command(I8042_COMMAND.WRITE_RAM, I8042_CONFIG.TRANSLATE | I8042_CONFIG.KEYBOARD_INTERRUPT);
  assertEquals(wires.level, true);
});

Deno.test("a disabled interface holds the keyboard back", () => {
  const { wires, i8042, command, answers } = controller();
  command(I8042_COMMAND.DISABLE_KEYBOARD);
  i8042.key(press("KeyA"));
  assertEquals([answers(), wires.rises], [[], 0]);
  command(I8042_COMMAND.SELF_TEST);
  assertEquals(answers(), [I8042_COMMAND.SELF_TEST_PASSED]);
  command(I8042_COMMAND.ENABLE_KEYBOARD);
  assertEquals(answers(), [0x1e]);
});

Deno.test("the controller's answers come before the keyboard's bytes", () => {
  const { i8042, command, answers } = controller();
  i8042.key([...press("KeyA"), ...press("KeyB")]);
  command(I8042_COMMAND.TEST_KEYBOARD);
  assertEquals(answers(), [0x1e, 0, 0x30]);
});

Deno.test("data for the keyboard enables its interface", () => {
  const { command, send, answers } = controller();
  command(I8042_COMMAND.DISABLE_KEYBOARD);
  send(KEYBOARD.ECHO);
  assertEquals(answers(), [KEYBOARD.ECHO]);
});

Deno.test("a pulse of the reset line resets the machine, and others do not", () => {
  const { wires, command } = controller();
  command(I8042_COMMAND.RESET);
  assertEquals(wires.log, ["reset"]);
  command(0xff);
  command(0xfd);
  assertEquals(wires.log, ["reset"]);
  command(0xf0);
  assertEquals(wires.log, ["reset", "reset"]);
});

Deno.test("the output port has A20 and the reset line", () => {
  const { wires, command, answers } = controller();
  const read = () => {
    command(I8042_COMMAND.READ_OUTPUT_PORT);
    return answers()[0]!;
  };
  const both = I8042_OUTPUT.A20 | I8042_OUTPUT.NO_RESET;
  assertEquals(read() & both, both);
  command(I8042_COMMAND.WRITE_OUTPUT_PORT, I8042_OUTPUT.NO_RESET);
  assertEquals(read() & both, I8042_OUTPUT.NO_RESET);
  command(I8042_COMMAND.ENABLE_A20);
  command(I8042_COMMAND.ENABLE_A20);
  command(I8042_COMMAND.DISABLE_A20);
  command(I8042_COMMAND.WRITE_OUTPUT_PORT, both);
  const events = () => wires.log.filter((entry) => !/raise|lower/.test(entry));
  assertEquals(events(), ["a20 false", "a20 true", "a20 false", "a20 true"]);
  command(I8042_COMMAND.WRITE_OUTPUT_PORT, I8042_OUTPUT.A20);
  assertEquals(events().at(-1), "reset");
});

Deno.test("a byte can be put where the keyboard's are read", () => {
  const { command, answers } = controller();
  command(I8042_COMMAND.WRITE_OUTPUT_BUFFER, 0x1c);
  assertEquals(answers(), [0x1c], "it is not translated");
});

Deno.test("the ports between data and status are nobody's", () => {
  const { i8042 } = controller();
  assertEquals([1, 2, 3, 5].map((offset) => i8042.read(offset, 1)), [0xff, 0xff, 0xff, 0xff]);
});

Deno.test("commands without an answer leave nothing to read, and no trace in the memory", () => {
  const { wires, i8042, command, status } = controller();
  const before = i8042.state.ram.slice();
  const { ENABLE_A20, DISABLE_A20, WRITE_OUTPUT_PORT, WRITE_AUX } = I8042_COMMAND;
  const both = I8042_OUTPUT.A20 | I8042_OUTPUT.NO_RESET;
  for (const silent of [DISABLE_A20, ENABLE_A20, 0x00, 0x90, 0xff]) {
    command(silent);
    assertEquals(status() & I8042_STATUS.OUTPUT_FULL, 0);
  }
  for (const [silent, value] of [[WRITE_OUTPUT_PORT, both], [WRITE_AUX, 0x77]] as const) {
    command(silent, value);
    assertEquals(status() & I8042_STATUS.OUTPUT_FULL, 0);
  }
  assertEquals(i8042.state.ram, before);
  assertEquals(wires.log, ["a20 false", "a20 true"]);
});

Deno.test("writing the memory does nothing else, and neither does a byte put to be read", () => {
  const { wires, command, answers } = controller();
  const { WRITE_RAM, WRITE_OUTPUT_BUFFER, WRITE_AUX_BUFFER } = I8042_COMMAND;
  command(WRITE_RAM, 0);
  command(WRITE_RAM + 5, 0);
  assertEquals([wires.log, answers()], [[], []]);
  command(WRITE_OUTPUT_BUFFER, 0);
  command(WRITE_AUX_BUFFER, 0);
  assertEquals([wires.log, answers()], [[], [0, 0]]);
});

Deno.test("a command in the place of data takes the one before back", () => {
  const { wires, i8042, command, send, answers } = controller();
  command(I8042_COMMAND.WRITE_OUTPUT_PORT);
  command(I8042_COMMAND.TEST_KEYBOARD);
  send(KEYBOARD.ECHO);
  assertEquals([answers(), i8042.state.a20Masked], [[0, KEYBOARD.ECHO], 0]);
  assertEquals(wires.log.includes("reset"), false);
});

Deno.test("the output port shows that there is a byte to read, the test inputs whether it listens", () => {
  const { i8042, command, answers } = controller();
  command(I8042_COMMAND.READ_OUTPUT_PORT);
  assertEquals(answers()[0]! & I8042_OUTPUT.FULL, 0);
  i8042.key(press("KeyA"));
  command(I8042_COMMAND.READ_OUTPUT_PORT);
  assertEquals(answers()[1]! & I8042_OUTPUT.FULL, I8042_OUTPUT.FULL);
  const { READ_TEST_INPUTS, TEST_CLOCK, TEST_DATA } = I8042_COMMAND;
  command(READ_TEST_INPUTS);
  assertEquals(answers(), [TEST_CLOCK | TEST_DATA]);
  command(I8042_COMMAND.DISABLE_KEYBOARD);
  command(READ_TEST_INPUTS);
  assertEquals(answers(), [TEST_DATA]);
  command(I8042_COMMAND.READ_INPUT_PORT);
  assertEquals(answers(), [I8042_COMMAND.INPUT_UNLOCKED]);
});
