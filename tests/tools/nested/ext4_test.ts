import { assertEquals } from "@std/assert";
import { makeImage, PARTITION } from "../../../tools/nested/ext4.ts";
import { run } from "../../../tools/support/process.ts";
import { inFolder, needs } from "../support.ts";

Deno.test(
  needs("mke2fs", "debugfs")("a folder becomes an image that has its files and room"),
  () =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/files/deep`, { recursive: true });
      await Deno.writeTextFile(`${folder}/files/deep/hello`, "hello\n".repeat(10_000));
      for (let i = 0; i < 300; i++) await Deno.writeTextFile(`${folder}/files/${i}`, "");
      const image = `${folder}/a,b.img`;
      await makeImage(`${folder}/files`, image, { free: 8 << 20 });
      const cat = await run("debugfs", ["-R", "cat /deep/hello", image]);
      assertEquals(new TextDecoder().decode(cat), "hello\n".repeat(10_000));
      const listed = new TextDecoder().decode(await run("debugfs", ["-R", "ls -p /", image]));
      assertEquals(listed.match(/^\/\d+\/100\d+\/\d+\/\d+\/\d+\/0\/$/gm)?.length, 300);
      assertEquals(Deno.statSync(image).size >= 8 << 20, true);
    }),
);

Deno.test(
  needs("mke2fs", "debugfs")("an image with an id has a partition that has all the rest"),
  () =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/files`);
      await Deno.writeTextFile(`${folder}/files/hello`, "hello");
      const image = `${folder}/image`;
      await makeImage(`${folder}/files`, image, { free: 1 << 20, id: 0x8123_4567 });
      const cat = await run("debugfs", ["-R", "cat /hello", `${image}?offset=${PARTITION}`]);
      assertEquals(new TextDecoder().decode(cat), "hello");
      const bytes = Deno.readFileSync(image);
      const sector = new DataView(bytes.buffer, 0, 512);
      const [start, count] = [sector.getUint32(454, true), sector.getUint32(458, true)];
      assertEquals([start * 512, (start + count) * 512], [PARTITION, bytes.length]);
      assertEquals([sector.getUint32(440, true), bytes[450]], [0x8123_4567, 0x83]);
      assertEquals([...bytes.subarray(510, 512)], [0x55, 0xaa]);
    }),
);
