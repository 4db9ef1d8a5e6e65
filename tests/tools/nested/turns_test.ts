import { assertEquals } from "@std/assert";
import { inTurns } from "../../../tools/nested/turns.ts";

Deno.test("outputs of several come one after the other, and the first one's at once", () => {
  let text = "";
  const [first, second, third] = inTurns(3, (bytes) => text += new TextDecoder().decode(bytes));
  const write = (turn: typeof first, word: string) => turn!.write(new TextEncoder().encode(word));
  write(second, "B1 ");
  write(first, "A1 ");
  assertEquals(text, "A1 ");
  third!.end();
  write(second, "B2 ");
  first!.end();
  assertEquals(text, "A1 B1 B2 ");
  write(second, "B3");
  second!.end();
  assertEquals(text, "A1 B1 B2 B3");
});
