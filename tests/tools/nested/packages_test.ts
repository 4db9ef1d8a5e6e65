import { assertRejects } from "@std/assert";
import { NestedError } from "../../../tools/nested/error.ts";
import { packages } from "../../../tools/nested/packages.ts";
import { inFolder } from "../support.ts";

Deno.test("a folder without the packages, or with two of a kind, is refused with the reason", () =>
  inFolder(async (folder) => {
    const error = () => packages(`${folder}/cache`, { debs: folder, suite: undefined });
    await assertRejects(error, NestedError, "There is no linux-image-*_amd64.deb");
    for (const version of [1, 2]) {
      await Deno.writeTextFile(`${folder}/linux-image-${version}_amd64.deb`, "");
    }
    await assertRejects(error, NestedError, "There is more than one linux-image-*_amd64.deb");
    await assertRejects(
      () => packages(folder, { debs: `${folder}/none`, suite: undefined }),
      NestedError,
      "--debs",
    );
  }));
