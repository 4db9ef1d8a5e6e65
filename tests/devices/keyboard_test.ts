import { assert, assertEquals } from "@std/assert";
import { I8042_COMMAND, I8042_CONFIG, KEYBOARD, press, release } from "../../src/devices/mod.ts";
import { controller } from "./controller.ts";

const UNTRANSLATED = I8042_CONFIG.KEYBOARD_INTERRUPT | I8042_CONFIG.SYSTEM |
  I8042_CONFIG.AUX_DISABLED;

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
