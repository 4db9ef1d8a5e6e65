import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { suiteSources } from "../../../tools/support/apt.ts";
import { ToolError } from "../../../tools/support/error.ts";
import { outputOf, specifier } from "../../support/subprocess.ts";
import { inFolder } from "../support.ts";

Deno.test("another suite is one of the Debian that apt knows", () => {
  const archives = `|node|file:/node
Debian|Debian-Security|file:/security
Debian|Debian|file:/debian
`;
  assertMatch(suiteSources(archives, ["sid"]), /^deb \[signed-by=\S+\] file:\/debian sid main\n$/);
  assertMatch(suiteSources(archives, ["new", "old"]), /debian new main\ndeb .* old main\n$/);
  assertThrows(() => suiteSources("Ubuntu|Ubuntu|file:/u", ["sid"]), ToolError);
});

/** Fails where another is at work on what apt keeps. */
const fakeApt = `#!/bin/sh
case "$*" in
  *indextargets*) echo "Debian|Debian|file:/debian"; exit ;;
esac
state=$(dirname "$2" | cut -d= -f2)
case "$*" in
  *update*)
    mkdir "$state/busy" || exit 100
    grep -q "file:/debian sid main" "$state/sources.list" || exit 100
    sleep 0.1
    rmdir "$state/busy"
    ;;
  *show*)
    [ ! -e "$state/busy" ] || exit 100
    printf 'Package: x\\nVersion: 1\\n'
    ;;
  *download*) [ ! -e "$state/busy" ] || exit 100 ;;
esac
`;

Deno.test("of several runs that want a suite at once each waits for the others' apt", () =>
  inFolder(async (folder) => {
    for (const name of ["apt-get", "apt-cache"]) {
      await Deno.writeTextFile(`${folder}/${name}`, fakeApt, { mode: 0o755 });
    }
    const script = `
      import { openApt } from ${specifier("tools/support/apt.ts")};
      const folder = ${JSON.stringify(folder)};
      Deno.env.set("PATH", folder + ":" + Deno.env.get("PATH"));
      const shown = await Promise.all([1, 2, 3].map(async () => {
        const apt = await openApt(folder, ["sid"]);
        const shown = await apt.show("x");
        await apt.download(["x=1"], folder);
        return shown.length;
      }));
      console.log(shown.join());
    `;
    assertEquals(await outputOf(script, { args: ["--allow-all"] }), "1,1,1\n");
  }));
