import { assertEquals } from "@std/assert";
import { bundleWorker, isOutdated } from "../../tools/worker.ts";
import { needing } from "../support/host.ts";

const made = await bundleWorker();

Deno.test(
  needing("Deno's bundler", "text" in made, "the bundle of a vCPU's thread is up to date"),
  () => assertEquals("text" in made && isOutdated(made.text), false, "run deno task worker"),
);
