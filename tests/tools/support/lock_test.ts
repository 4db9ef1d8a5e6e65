import { assertEquals, assertRejects } from "@std/assert";
import { locked } from "../../../tools/support/lock.ts";
import { inFolder } from "../support.ts";

Deno.test("who must be alone waits for all others, and those for nobody else", () =>
  inFolder(async (folder) => {
    const path = `${folder}/lock`;
    const happened: string[] = [];
    const both = Promise.withResolvers<void>();
    let readers = 0;
    const read = () =>
      locked(path, { alone: false }, async () => {
        if (++readers === 2) both.resolve();
        await both.promise;
        happened.push("read");
      });
    const write = () =>
      locked(path, { alone: true }, async () => {
        happened.push("write");
        await Deno.stat(path);
        happened.push("written");
      });
    await Promise.all([read(), read()]);
    await Promise.all([write(), write()]);
    assertEquals(happened, ["read", "read", "write", "written", "write", "written"]);
  }));

Deno.test("a lock is free again when its task fails", () =>
  inFolder(async (folder) => {
    const path = `${folder}/lock`;
    const fail = () => Promise.reject(new Error("failed"));
    await assertRejects(() => locked(path, { alone: true }, fail), Error, "failed");
    assertEquals(await locked(path, { alone: true }, () => Promise.resolve(1)), 1);
  }));

Deno.test("who waits for a lock can be interrupted, and doesn't get it later", () =>
  inFolder(async (folder) => {
    const path = `${folder}/lock`;
    const abort = new AbortController();
    const options = { alone: true, signal: abort.signal };
    const never = () => Promise.reject(new Error("not interrupted"));
    await locked(path, { alone: true }, async () => {
      const waiting = locked(path, options, never);
      abort.abort(new Error("interrupted"));
      await assertRejects(() => waiting, Error, "interrupted");
    });
    await locked(path, { alone: true }, () => Promise.resolve());
    await assertRejects(() => locked(path, options, never), Error, "interrupted");
  }));
