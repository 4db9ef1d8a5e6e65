import { assert, assertEquals } from "@std/assert";
import {
  I8042,
  I8042_COMMAND,
  I8042_CONFIG,
  I8042_OUTPUT,
  I8042_STATUS,
  i8042State,
  KEYBOARD,
  press,
  release,
} from "../../src/devices/mod.ts";
import { stands, Wires } from "./support.ts";

const DATA = 0;
const STATUS = 4;
const UNTRANSLATED = I8042_CONFIG.KEYBOARD_INTERRUPT | I8042_CONFIG.SYSTEM |
  I8042_CONFIG.AUX_DISABLED;

function make(wires: Wires, state?: I8042["state"]): I8042 {
  const { interrupt } = wires;
  const reset = () => wires.note("reset");
  const a20 = (enabled: boolean) => wires.note("a20", enabled);
  return new I8042({ keyboardInterrupt: interrupt, reset, a20 }, state);
}

interface Controller {
  wires: Wires;
  i8042: I8042;
  /** A command, and data for it. */
  command(command: number, ...data: number[]): void;
  /** A byte to the keyboard. */
  send(byte: number): void;
  status(): number;
  /** All that there is to read. */
  answers(): number[];
}

function controller(): Controller {
  const wires = new Wires();
  const i8042 = make(wires);
  const send = (byte: number) => i8042.write(DATA, 1, byte);
  const status = () => i8042.read(STATUS, 1);
  return {
    wires,
    i8042,
    send,
    status,
    command(command, ...data) {
      i8042.write(STATUS, 1, command);
      for (const byte of data) send(byte);
    },
    answers() {
      const bytes: number[] = [];
      while ((status() & I8042_STATUS.OUTPUT_FULL) !== 0) bytes.push(i8042.read(DATA, 1));
      return bytes;
    },
  };
}

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

Deno.test("keys come as set 1, as set 2 without translation", () => {
  const strokes = [
    [[...press("KeyA"), ...release("KeyA")], [0x1e, 0x9e]],
    [[...press("F7"), ...release("F7")], [0x41, 0xc1]],
    [[...press("ControlRight"), ...release("ControlRight")], [0xe0, 0x1d, 0xe0, 0x9d]],
    // Pause: it comes at once, up and down.
    [[0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77], [0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5]],
  ] as const;
  const { i8042, command, answers } = controller();
  for (const [set2, set1] of strokes) {
    i8042.key(set2);
    assertEquals(answers(), [...set1]);
  }
  command(I8042_COMMAND.WRITE_RAM, UNTRANSLATED);
  for (const [set2] of strokes) {
    i8042.key(set2);
    assertEquals(answers(), [...set2]);
  }
});

Deno.test("text is typed on a US keyboard, as much as fits", () => {
  const { i8042, answers } = controller();
  assertEquals(i8042.type("a|\u00e9"), 3, "what is not on the keyboard is left out");
  assertEquals(answers(), [0x1e, 0x9e, 0x2a, 0x2b, 0xab, 0xaa]);
  const line = "ls -l /dev\n";
  let typed = "";
  const codes: number[] = [];
  while (typed !== line) {
    const taken = i8042.type(line.slice(typed.length));
    assert(taken > 0 && taken <= 6);
    typed += line.slice(typed.length, typed.length + taken);
    codes.push(...answers());
  }
  const down = codes.filter((code) => code < 0x80);
  assertEquals(down, [0x26, 0x1f, 0x39, 0x0c, 0x26, 0x39, 0x35, 0x20, 0x12, 0x2f, 0x1c]);
});

Deno.test("every printable ASCII character can be typed", () => {
  const { i8042, answers } = controller();
  const seen = new Set<string>();
  for (let code = 0x20; code < 0x7f; code++) {
    assertEquals(i8042.type(String.fromCharCode(code)), 1);
    const codes = answers();
    assert(codes.length === 2 || codes.length === 4, String.fromCharCode(code));
    seen.add(codes.join());
  }
  assertEquals(seen.size, 95, "each in its own way");
});

Deno.test("a full keyboard takes no more, and none of what does not fit as a whole", () => {
  const { i8042, answers } = controller();
  const stroke = [...press("KeyA"), ...release("KeyA")];
  let taken = 0;
  while (i8042.key(stroke)) taken++;
  // 16 bytes, and one that the controller has already.
  assertEquals([taken, i8042.room], [5, 2]);
  assertEquals(i8042.key(press("KeyB")), true);
  assertEquals(answers(), [...Array(taken).fill([0x1e, 0x9e]).flat(), 0x30]);
  assertEquals(i8042.room, 16);
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

Deno.test("the keyboard identifies itself, translated or not", () => {
  const { send, command, answers } = controller();
  send(KEYBOARD.IDENTIFY);
  assertEquals(answers(), [KEYBOARD.ACK, 0xab, 0x41]);
  command(I8042_COMMAND.WRITE_RAM, UNTRANSLATED);
  send(KEYBOARD.IDENTIFY);
  assertEquals(answers(), [KEYBOARD.ACK, 0xab, 0x83]);
});

Deno.test("the keyboard's reset acknowledges and passes its self test", () => {
  const { i8042, send, answers } = controller();
  send(KEYBOARD.SET_LEDS);
  send(7);
  i8042.key(press("KeyA"));
  assertEquals(answers()[0], KEYBOARD.ACK);
  assertEquals(i8042.state.keyboard.leds, 7);
  send(KEYBOARD.RESET);
  assertEquals(answers(), [KEYBOARD.ACK, KEYBOARD.SELF_TEST_PASSED]);
  assertEquals(i8042.state.keyboard.leds, 0);
});

Deno.test("each command of the keyboard is acknowledged, and its parameter too", () => {
  const { i8042, send, answers } = controller();
  const say = (...bytes: number[]) =>
    bytes.flatMap((byte) => {
      send(byte);
      return answers();
    });
  const { ACK, RESEND } = KEYBOARD;
  assertEquals(say(KEYBOARD.ECHO), [KEYBOARD.ECHO]);
  assertEquals(say(KEYBOARD.RESEND), [KEYBOARD.ECHO], "the last byte again");
  assertEquals(say(KEYBOARD.SET_LEDS, 2), [ACK, ACK]);
  assertEquals(say(KEYBOARD.SET_TYPEMATIC, 0x20), [ACK, ACK]);
  assertEquals([i8042.state.keyboard.leds, i8042.state.keyboard.typematic], [2, 0x20]);
  assertEquals(say(KEYBOARD.SET_DEFAULTS), [ACK]);
  assertEquals(say(KEYBOARD.ALL_KEYS), [ACK]);
  for (const unknown of [0x00, 0x7f, 0xef, 0xea, 0xf1, 0xfb, 0xfd]) {
    assertEquals(say(unknown), [RESEND]);
  }
  assertEquals(say(KEYBOARD.SET_LEDS, KEYBOARD.IDENTIFY), [ACK, ACK, 0xab, 0x41], "no parameter");
});

Deno.test("the keyboard has sets 1 and 2, and does not take set 3", () => {
  const { i8042, send, command, answers } = controller();
  command(I8042_COMMAND.WRITE_RAM, UNTRANSLATED);
  const current = () => {
    send(KEYBOARD.SCANCODE_SET);
    send(0);
    return answers().at(-1);
  };
  const select = (set: number) => {
    send(KEYBOARD.SCANCODE_SET);
    send(set);
    assertEquals(answers(), [KEYBOARD.ACK, KEYBOARD.ACK]);
  };
  assertEquals(current(), 2);
  select(3);
  assertEquals(current(), 2);
  select(1);
  assertEquals(current(), 1);
  i8042.key([...press("ArrowLeft"), ...release("ArrowLeft")]);
  assertEquals(answers(), [0xe0, 0x4b, 0xe0, 0xcb]);
  select(2);
  i8042.key([...press("ArrowLeft"), ...release("ArrowLeft")]);
  assertEquals(answers(), [0xe0, 0x6b, 0xe0, 0xf0, 0x6b]);
});

Deno.test("a keyboard that does not scan loses its keys until it does", () => {
  const { i8042, send, answers } = controller();
  send(KEYBOARD.DISABLE);
  answers();
  assertEquals(i8042.key(press("KeyA")), true);
  assertEquals(answers(), []);
  send(KEYBOARD.ENABLE);
  assertEquals(answers(), [KEYBOARD.ACK]);
  i8042.key(press("KeyB"));
  assertEquals(answers(), [0x30]);
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

Deno.test("a command to the keyboard leaves the keys that wait, but those that enable or reset it", () => {
  const { i8042, send, answers } = controller();
  const { ACK, SET_LEDS, ENABLE, SET_DEFAULTS } = KEYBOARD;
  i8042.key([...press("KeyA"), ...press("KeyB")]);
  send(SET_LEDS);
  assertEquals(answers(), [0x1e, ACK, 0x30]);
  for (const command of [ENABLE, SET_DEFAULTS]) {
    i8042.key([...press("KeyA"), ...press("KeyB")]);
    send(command);
    assertEquals(answers(), [0x1e, ACK]);
  }
});
