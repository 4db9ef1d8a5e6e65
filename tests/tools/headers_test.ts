import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { fileURLToPath } from "node:url";
import { parseOptions } from "../../tools/headers/main.ts";
import { kernelHeaders, unpackHeaders } from "../../tools/headers/package.ts";
import { ToolError, UsageError } from "../../tools/support/error.ts";
import { missingPrograms, run } from "../../tools/support/process.ts";
import { needing } from "../support/host.ts";

const root = new URL("../../", import.meta.url);

Deno.test("headers to compare with are those of Debian's newest kernel, or of the suite named", () => {
  const newest = { help: false, suite: "trixie-backports", folder: false };
  assertEquals(parseOptions([]), newest);
  assertEquals(parseOptions(["--suite", "sid"]), { ...newest, suite: "sid" });
  assertEquals(parseOptions(["--folder", "--suite=sid"]), {
    ...newest,
    suite: "sid",
    folder: true,
  });
  assertEquals(parseOptions(["--help"]), { ...newest, help: true });
});

Deno.test("a suite without --suite, --suite without one, and what is no option are refused", () => {
  for (const args of [["sid"], ["--suite"], ["--suite", "--folder"], ["--folder=x"], ["--suit"]]) {
    assertThrows(() => parseOptions(args), UsageError, "", args.join(" "));
  }
});

Deno.test("the task explains itself, and what it can't do is status 125", async () => {
  const tool = ["run", "--no-check", "--allow-all", "tools/headers/main.ts"];
  const help = await deno([...tool, "--help"]);
  assertEquals(help.code, 0);
  assertStringIncludes(help.stdout, "Usage: deno task headers");
  const wrong = await deno([...tool, "--suite"]);
  assertEquals([wrong.code, wrong.stdout], [125, ""]);
  assertStringIncludes(wrong.stderr, "headers: ");
});

Deno.test("a suite is a name and leads to no other folder", () =>
  inFolder(async (folder) => {
    for (const suite of ["", "..", "sid/../..", "sid main"]) {
      const error = await assertRejects(() => kernelHeaders(folder, suite), ToolError);
      assertEquals(error.message, `There is no suite "${suite}"`);
    }
    assertEquals([...Deno.readDirSync(folder)], []);
  }));

for (const linked of [false, true]) {
  const what = linked ? "links to" : "has";
  const name = `a package that ${what} the processor's headers becomes one include directory`;
  const present = missingPrograms(["dpkg-deb"]).length === 0;
  Deno.test(needing("dpkg-deb", present, name), () =>
    inFolder(async (folder) => {
      const asm = "usr/include/x86_64-linux-gnu/asm";
      const texts = {
        "DEBIAN/control":
          "Package: headers\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n",
        "usr/include/linux/kvm.h": "linux",
        "usr/include/linux/deep/x.h": "deep",
        "usr/include/asm-generic/kvm.h": "generic",
        "usr/include/drm/drm.h": "none of KVM's",
        [linked ? "usr/lib/linux/uapi/x86/asm/kvm.h" : `${asm}/kvm.h`]: "x86",
      };
      for (const [path, text] of Object.entries(texts)) {
        await write(`${folder}/package/${path}`, text);
      }
      if (linked) {
        await Deno.mkdir(`${folder}/package/${asm}`, { recursive: true });
        const target = "../../../lib/linux/uapi/x86/asm/kvm.h";
        await Deno.symlink(target, `${folder}/package/${asm}/kvm.h`);
      }
      await Deno.mkdir(`${folder}/debs`);
      await run("dpkg-deb", ["-b", `${folder}/package`, `${folder}/debs/headers.deb`]);
      await unpackHeaders(`${folder}/debs`, `${folder}/made`);
      // What the package links to may go.
      await Deno.remove(`${folder}/made.files`, { recursive: true });
      const read = (path: string) => Deno.readTextFileSync(`${folder}/made/${path}`);
      const headers = ["linux/kvm.h", "linux/deep/x.h", "asm-generic/kvm.h", "asm/kvm.h"];
      assertEquals(headers.map(read), ["linux", "deep", "generic", "x86"]);
      const folders = [...Deno.readDirSync(`${folder}/made`)].map(({ name }) => name).sort();
      assertEquals(folders, ["asm", "asm-generic", "linux"]);
    }));
}

Deno.test("a folder that lacks one of KVM's headers is no other kernel's to compare with", () =>
  inFolder(async (folder) => {
    await write(`${folder}/linux/kvm.h`, "");
    const module = new URL("tests/ffi/uapi_header.ts", root).href;
    const script = `await (await import(${JSON.stringify(module)})).readHeader();`;
    const { code, stderr } = await deno(["eval", script], { KVM_HEADERS: folder });
    assertEquals(code, 1);
    assertStringIncludes(stderr, `${folder}/asm/kvm.h`);
  }));

async function write(path: string, text: string): Promise<void> {
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  await Deno.writeTextFile(path, text);
}

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function deno(args: string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: fileURLToPath(root),
    env: { NO_COLOR: "1", ...env },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
