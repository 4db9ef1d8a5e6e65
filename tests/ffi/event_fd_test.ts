import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { KvmError } from "../../ffi/mod.ts";
import { EventFd } from "../../src/kvm/mod.ts";
import { assertCode } from "../support/codes.ts";
import { openFiles } from "../support/host.ts";
import { unemulated } from "../support/rounds.ts";
import { outputOf, runScript, specifier } from "../support/subprocess.ts";

/** The largest value of the counter. */
const MAX = 2n ** 64n - 2n;

Deno.test("what is written adds up, and a read takes all of it", () => {
  using event = new EventFd();
  assertEquals(event.read(), undefined);
  event.write();
  event.write(3);
  event.write(5n);
  assertEquals([event.read(), event.read()], [9n, undefined]);
});

Deno.test("it begins at its first value, and a semaphore is taken one by one", () => {
  using event = new EventFd({ initial: 0xffff_ffff });
  assertEquals([event.read(), event.read()], [0xffff_ffffn, undefined]);
  using semaphore = new EventFd({ initial: 2, semaphore: true });
  semaphore.write();
  const taken = [1, 2, 3, 4].map(() => semaphore.read());
  assertEquals(taken, [1n, 1n, 1n, undefined]);
});

Deno.test("values that can't be are refused, and a full counter says so", () => {
  // deno-lint-ignore no-explicit-any -- what the types forbid
  const wrong: any[] = [-1, 0.5, NaN, Infinity, 2 ** 53, -1n, MAX + 1n, "1", null, {}];
  using event = new EventFd();
  for (const value of wrong) assertCode("EINVAL", () => event.write(value), String(value));
  for (const initial of [-1, 0.5, 2 ** 32]) {
    assertCode("EINVAL", () => new EventFd({ initial }), String(initial));
  }
  event.write(0);
  assertEquals(event.read(), undefined);
  event.write(MAX);
  assertStringIncludes(assertCode("EAGAIN", () => event.write()).hint!, "full");
  assertEquals(event.read(), MAX);
});

Deno.test("closed, it is an error to use and leaves no descriptor", async () => {
  const before = openFiles();
  const event = new EventFd();
  assertEquals([openFiles(), event.closed], [before + 1, false]);
  event.close();
  event.close();
  event[Symbol.dispose]();
  assertEquals([openFiles(), event.closed, event.fd], [before, true, -1]);
  assertStringIncludes(assertCode("EBADF", () => event.write()).hint!, "was closed");
  assertCode("EBADF", () => event.read());
  await assertRejects(() => event.wait(), KvmError, "EBADF");
  for await (const _ of event) throw new Error("a closed event has nothing");
});

Deno.test("a wait ends with the signal that comes, at once or later", async () => {
  using event = new EventFd({ initial: 4 });
  assertEquals(await event.wait(), 4n);
  setTimeout(() => event.write(7));
  assertEquals(await event.wait(), 7n);
  assertEquals(event.read(), undefined);
});

Deno.test("each of many events wakes whoever waits for it", async () => {
  const events = Array.from({ length: 50 }, () => new EventFd());
  const waits = events.map((event) => event.wait());
  await Promise.resolve();
  for (const [index, event] of events.toReversed().entries()) event.write(index + 1);
  assertEquals(await Promise.all(waits), events.map((_, index) => BigInt(50 - index)));
  for (const event of events) event.close();
});

Deno.test("a semaphore wakes as many as it was signalled times", async () => {
  using event = new EventFd({ semaphore: true });
  const woken: number[] = [];
  const waits = [0, 1, 2].map(async (index) => {
    await event.wait();
    woken.push(index);
  });
  setTimeout(() => event.write(2));
  await Promise.race([Promise.all([waits[0], waits[1]]), Promise.all([waits[1], waits[2]])]);
  assertEquals(woken, [0, 1]);
  event.write();
  await Promise.all(waits);
  assertEquals(woken, [0, 1, 2]);
});

Deno.test("an aborted wait rejects with the reason and takes nothing", async () => {
  const before = openFiles();
  {
    using event = new EventFd();
    const reason = new Error("enough");
    const abort = new AbortController();
    setTimeout(() => abort.abort(reason));
    const error = await assertRejects(() => event.wait({ signal: abort.signal }), Error, "enough");
    assertEquals(error, reason);
    await assertRejects(() => event.wait({ signal: abort.signal }), Error, "enough");
    event.write(2);
    await assertRejects(() => event.wait({ signal: abort.signal }), Error, "enough");
    assertEquals(event.read(), 2n);
  }
  assertEquals(openFiles(), before);
});

Deno.test("one who leaves keeps nobody else from what comes", async () => {
  using event = new EventFd();
  using other = new EventFd();
  const abort = new AbortController();
  const left = assertRejects(() => event.wait({ signal: abort.signal }));
  const stays = event.wait();
  const third = other.wait();
  abort.abort();
  await left;
  event.write(3);
  assertEquals(await stays, 3n);
  other.write(4);
  assertEquals(await third, 4n);
});

Deno.test("closing ends the waits, each with an error that says so", async () => {
  const before = openFiles();
  const event = new EventFd();
  const waits = [event.wait(), event.wait()].map((wait) => assertRejects(() => wait, KvmError));
  setTimeout(() => event.close());
  for (const error of await Promise.all(waits)) {
    assertEquals(error.code, "EBADF");
    assertStringIncludes(error.message, "was closed");
  }
  assertEquals(openFiles(), before);
});

Deno.test("an event that gets the number of a closed one has its own waits", async () => {
  const first = new EventFd();
  const closed = assertRejects(() => first.wait(), KvmError, "EBADF");
  await Promise.resolve();
  const { fd } = first;
  first.close();
  using second = new EventFd();
  assertEquals(second.fd, fd);
  const wait = second.wait();
  setTimeout(() => second.write(5));
  assertEquals(await wait, 5n);
  await closed;
});

Deno.test("iterating gives what comes, until it is closed", async () => {
  const event = new EventFd({ initial: 1 });
  const values: bigint[] = [];
  for await (const value of event) {
    values.push(value);
    if (values.length === 4) setTimeout(() => event.close());
    else setTimeout(() => event.write(values.length + 1));
  }
  assertEquals(values, [1n, 2n, 3n, 4n]);
});

Deno.test("a loop that is left does not take the next signal", async () => {
  using event = new EventFd({ initial: 1 });
  for await (const _ of event) break;
  event.write(6);
  assertEquals(event.read(), 6n);
});

/** What was there to sleep on before the first wait here: the runtime's own. */
const others = new Set(epolls());

/** The epoll instances that are open, as /proc/pid/syscall writes descriptors. */
function epolls(): string[] {
  return [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => name).filter((name) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`) === "anon_inode:[eventpoll]";
    } catch (error) {
      // That of the directory itself is closed by now.
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }).map((name) => `0x${Number(name).toString(16)}`);
}

/** Threads that sleep in epoll_wait on a descriptor (proc(5), /proc/pid/syscall). */
function sleepers(): string[] {
  const calls: string[] = [];
  for (const { name } of Deno.readDirSync("/proc/self/task")) {
    try {
      const call = Deno.readTextFileSync(`/proc/self/task/${name}/syscall`);
      if (call.startsWith("232 ")) calls.push(call.split(" ")[1]!);
    } catch (error) {
      // A thread may have ended meanwhile.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return calls;
}

Deno.test("hundreds of waits leave no descriptor and no thread behind", async () => {
  const before = openFiles();
  for (let round = 0; round < 300; round++) {
    using event = new EventFd();
    const abort = new AbortController();
    const wait = event.wait({ signal: abort.signal });
    if (round % 2 === 0) event.write();
    else abort.abort();
    await wait.catch(() => {});
  }
  assertEquals(openFiles(), before);
  assertEquals(sleepers().filter((fd) => !others.has(fd)), []);
});

Deno.test("many who wait take one thread", async () => {
  const threads = () => [...Deno.readDirSync("/proc/self/task")].length;
  using warm = new EventFd();
  setTimeout(() => warm.write());
  await warm.wait();
  const before = threads();
  const events = Array.from({ length: 100 }, () => new EventFd());
  const waits = events.map((event) => event.wait());
  await new Promise((resolve) => setTimeout(resolve));
  assert(threads() <= before + 1, `${threads()} threads, ${before} before`);
  for (const event of events) event.write();
  await Promise.all(waits);
  for (const event of events) event.close();
});

const module = specifier("src/kvm/mod.ts");

Deno.test(unemulated("a process ends by itself when the last wait was given up"), async () => {
  const output = await outputOf(`
    import { EventFd } from ${module};
    const event = new EventFd();
    const abort = new AbortController();
    const wait = event.wait({ signal: abort.signal }).catch(() => console.log("left"));
    setTimeout(() => abort.abort());
    await wait;
    setTimeout(() => event.close());
    for await (const _ of event);
    console.log("over");
  `);
  assertEquals(output, "left\nover\n");
});

Deno.test(unemulated("a wait does not keep a process from being ended"), async () => {
  const start = `
    import { EventFd } from ${module};
    const event = new EventFd();
    event.wait();
  `;
  assertEquals((await runScript(`${start} setTimeout(() => Deno.exit(7));`)).code, 7);
  const { code, stderr } = await runScript(`${start} setTimeout(() => { throw Error("bang"); });`);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "bang");
});

Deno.test(
  unemulated("a Worker that waits can be terminated, and the process goes on"),
  async () => {
    const worker = `
    import { EventFd } from ${module};
    const event = new EventFd();
    setTimeout(() => postMessage("waits"));
    await event.wait();
  `;
    const output = await outputOf(
      `
    import { EventFd } from ${module};
    const url = "data:application/typescript," + encodeURIComponent(${JSON.stringify(worker)});
    const worker = new Worker(url, { type: "module" });
    await new Promise((resolve) => worker.onmessage = resolve);
    worker.terminate();
    const event = new EventFd();
    setTimeout(() => event.write(3));
    console.log(await event.wait());
  `,
      { args: ["--allow-ffi", "--allow-read"] },
    );
    assertEquals(output, "3n\n");
  },
);
