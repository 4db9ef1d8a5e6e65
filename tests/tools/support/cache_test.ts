import { assertEquals, assertRejects } from "@std/assert";
import { cached, cacheFolder, hash } from "../../../tools/support/cache.ts";
import { ToolError } from "../../../tools/support/error.ts";
import { inFolder, names } from "../support.ts";

Deno.test("the cache is where the user keeps caches", () => {
  const folder = (variables: Record<string, string>) =>
    cacheFolder("nested", (name) => variables[name]);
  assertEquals(folder({ XDG_CACHE_HOME: "/c", HOME: "/h" }), "/c/deno-kvm/nested");
  assertEquals(folder({ HOME: "/h" }), "/h/.cache/deno-kvm/nested");
  for (const ignored of ["", "c", "./c", "../c"]) {
    assertEquals(folder({ XDG_CACHE_HOME: ignored, HOME: "/h" }), "/h/.cache/deno-kvm/nested");
  }
});

Deno.test("an entry's name follows from its inputs alone", async () => {
  assertEquals(await hash(["6.1", { a: 1 }]), await hash(["6.1", { a: 1 }]));
  assertEquals(await hash(["6.1"]) === await hash(["6.2"]), false);
});

Deno.test("an entry is made once", () =>
  inFolder(async (folder) => {
    let built = 0;
    const build = (path: string) => Deno.writeTextFile(path, `${++built}`);
    for (let i = 0; i < 3; i++) {
      assertEquals(await Deno.readTextFile(await cached(folder, "entry", build)), "1");
    }
  }));

Deno.test("of two that make an entry at once both get a whole one, and one is left", () =>
  inFolder(async (folder) => {
    const both = Promise.withResolvers<void>();
    let building = 0;
    const paths = await Promise.all([1, 2].map(() =>
      cached(folder, "entry", async (path) => {
        await Deno.mkdir(path);
        if (++building === 2) both.resolve();
        await both.promise;
        await Deno.writeTextFile(`${path}/whole`, "yes");
      })
    ));
    for (const path of paths) assertEquals(Deno.readTextFileSync(`${path}/whole`), "yes");
    assertEquals(names(folder), ["entry"]);
  }));

Deno.test("what fails while it is made leaves nothing in the cache", () =>
  inFolder(async (folder) => {
    const half = async (path: string) => {
      await Deno.writeTextFile(path, "half");
      throw new ToolError("no space");
    };
    await assertRejects(() => cached(folder, "entry", half), ToolError, "no space");
    assertEquals(names(folder), []);
  }));

Deno.test("entries that nobody used for a month go when a new one is made", () =>
  inFolder(async (folder) => {
    const build = (path: string) => Deno.writeTextFile(path, "");
    const old = new Date(Date.now() - 31 * 24 * 60 * 60 * 1000);
    for (const name of ["old", "used"]) {
      await Deno.utime(await cached(folder, name, build), old, old);
    }
    await cached(folder, "used", build);
    await cached(folder, "new", build);
    assertEquals(names(folder), ["new", "used"]);
  }));

Deno.test("what else is in the cache's folder stops nobody", () =>
  inFolder(async (folder) => {
    const build = (path: string) => Deno.writeTextFile(path, "");
    await Deno.symlink("/nonexistent", `${folder}/link`);
    await cached(folder, "entry", build);
    assertEquals(names(folder), ["entry", "link"]);
  }));

Deno.test("runs that begin and end at the same time don't mind what others remove", () =>
  inFolder(async (folder) => {
    const old = new Date(Date.now() - 31 * 24 * 60 * 60 * 1000);
    for (let i = 0; i < 50; i++) {
      await Deno.mkdir(`${folder}/old-${i}/sub`, { recursive: true });
      await Deno.utime(`${folder}/old-${i}`, old, old);
    }
    const entries = Array.from({ length: 20 }, (_, i) => `entry-${i}`);
    await Promise.all(entries.map((name) => cached(folder, name, (path) => Deno.mkdir(path))));
    assertEquals(names(folder), entries.sort());
  }));
