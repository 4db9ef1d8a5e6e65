/**
 * Runs the tests: `deno task test`. Arguments go on to `deno test`.
 *
 * A test that needs what the machine lacks is ignored by itself and says so. An example in the
 * documentation can't: those that need NASM are left out here where it is missing.
 *
 * @module
 */

/** What has examples in its documentation that start NASM. */
const needsNasm = ["src/assemble/", "src/testing/assert_guest.ts"];

function hasNasm(): boolean {
  try {
    return new Deno.Command("nasm", { args: ["-v"], stdout: "null" }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

const args = ["test", "--allow-all", "--doc"];
if (!hasNasm()) {
  console.log(`NASM is missing (apt install nasm): no examples of ${needsNasm.join(", ")}`);
  args.push(`--ignore=${needsNasm.join(",")}`);
}
// Deno.Command hands a signal of the terminal on by itself: both are in its foreground.
const { code } = await new Deno.Command(Deno.execPath(), { args: [...args, ...Deno.args] }).spawn()
  .status;
Deno.exit(code);
