import { assertEquals, assertRejects } from "@std/assert";
import { NestedError } from "../../../tools/nested/error.ts";
import { dependencies, findModules } from "../../../tools/nested/modules.ts";
import { inFolder, names, needs } from "../support.ts";

Deno.test("modules load after those that they say they depend on", () =>
  inFolder(async (folder) => {
    const modules = { "kvm-amd": "kvm,ccp", kvm: "irq_bypass", "irq-bypass": "", ccp: "" };
    for (const [name, depends] of Object.entries(modules)) {
      await Deno.writeTextFile(`${folder}/${name}.ko`, `\x7fELF\0depends=${depends}\0name=x\0`);
    }
    const files = names(folder).map((name) => `${folder}/${name}`);
    const found = (await findModules(files, ["kvm-amd"])).map(({ name }) => name);
    assertEquals(found, ["irq_bypass", "kvm", "ccp", "kvm_amd"]);
    await assertRejects(() => findModules(files, ["kvm-intel"]), NestedError, "kvm_intel");
    assertEquals(dependencies(new Uint8Array(100)), []);
  }));

Deno.test(
  needs("xz")("modules that are compressed come out plain"),
  () =>
    inFolder(async (folder) => {
      const text = "\x7fELF\0depends=b\0";
      // The text in the format that xz writes; BusyBox's only reads it.
      const compressed = "/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAOf0VMRgBkZXBlbmRzPWIAAAA0vaMceDml" +
        "GQABJw/fGvxqH7bzfQEAAAAABFla";
      await Deno.writeFile(`${folder}/a-a.ko.xz`, Uint8Array.fromBase64(compressed));
      await Deno.writeTextFile(`${folder}/b.ko`, "\x7fELF\0depends=\0");
      const found = await findModules(names(folder).map((name) => `${folder}/${name}`), ["a_a"]);
      assertEquals(found.map(({ name }) => name), ["b", "a_a"]);
      assertEquals(new TextDecoder().decode(found[1]!.bytes), text);
    }),
);
