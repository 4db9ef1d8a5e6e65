import { assert, assertEquals, assertThrows } from "@std/assert";
import { guestInfo, guests } from "../../guests/mod.ts";
import { camelCase, generate, guestSources, outdated } from "../../tools/guests.ts";

const names = Object.keys(guests) as (keyof typeof guests)[];
const nasm = hasNasm();

function hasNasm(): boolean {
  try {
    return new Deno.Command("nasm", { args: ["-v"] }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

Deno.test({
  name: "The embedded bytes are what NASM makes of the sources (needs nasm)",
  ignore: !nasm,
  fn() {
    assertEquals(outdated(generate()), []);
  },
});

Deno.test("Every source has an image and a description, and nothing else has", () => {
  const sources = guestSources().map(camelCase);
  assertEquals(names.toSorted(), sources.toSorted());
  assertEquals(Object.keys(guestInfo).toSorted(), sources.toSorted());
});

Deno.test("Every image is smaller than 4 KiB, so that results may begin at 0x2000", () => {
  for (const name of names) {
    const { length } = guests[name];
    assert(length > 0 && length < 4096, `${name} has ${length} bytes`);
  }
});

Deno.test("Every source fits on a screen and lists what the host should see", () => {
  for (const source of guestSources()) {
    const text = Deno.readTextFileSync(new URL(`../../guests/${source}.asm`, import.meta.url));
    // The guest for several processors is two programs.
    const screens = source === "smp" ? 2 : 1;
    assert(text.trimEnd().split("\n").length <= screens * 60, `${source}.asm is too long`);
    assert(/^; Host sees[:,] /m.test(text), `${source}.asm does not say what the host sees`);
  }
});

Deno.test("Writing to an image does not change what the next caller gets", () => {
  const mine = guests.hello;
  const before = mine.slice();
  mine.fill(0xcc);
  assertEquals(guests.hello, before);
});

Deno.test("An image cannot be replaced", () => {
  const writable = guests as { -readonly [Name in keyof typeof guests]: (typeof guests)[Name] };
  assertThrows(() => writable.hello = new Uint8Array(1), TypeError);
  assertThrows(() => Object.defineProperty(guests, "hello", { value: 1 }), TypeError);
});

Deno.test("The greeting in each of the four modes carries its line and ends in HLT's opcode", () => {
  const greetings = {
    helloReal: ["real", "Hello from real mode!\n"],
    helloProtected: ["protected", "Hello from protected mode!\n"],
    helloPaged: ["paged", "Hello from protected mode with paging!\n"],
    hello: ["long", "Hello from long mode!\n"],
  } as const;
  for (const [name, [mode, line]] of Object.entries(greetings)) {
    const image = guests[name as keyof typeof greetings];
    assertEquals(guestInfo[name as keyof typeof greetings].mode, mode);
    const text = image.length - line.length - 1;
    assertEquals(new TextDecoder().decode(image.subarray(text, -1)), line);
    assertEquals(image[text - 1], 0xf4);
  }
});

Deno.test("The images need no permission", () => {
  const door = new URL("../../guests/mod.ts", import.meta.url).href;
  const script = `
    import { guests } from ${JSON.stringify(door)};
    console.log(guests.halt.toHex());`;
  const { stdout } = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", `data:text/javascript,${encodeURIComponent(script)}`],
  }).outputSync();
  assertEquals(new TextDecoder().decode(stdout).trim(), guests.halt.toHex());
});
