/**
 * Asks the C compiler what the kernel's headers say. The environment variable `KVM_HEADERS` names
 * the include directory of another kernel (its `make headers_install`), to be compared instead.
 *
 * @module
 */

const directory = Deno.env.get("KVM_HEADERS");
const include = directory === undefined ? [] : ["-I", directory];

/** What the preprocessor makes of `linux/kvm.h`. */
export interface Header {
  /** The release of the headers, as `uapi linux/version.h` counts: 0x060100 is Linux 6.1. */
  readonly release: number;
  /** Macros by name, with their bodies. */
  readonly macros: ReadonlyMap<string, string>;
  /** Names of `struct kvm_*`. */
  readonly structs: ReadonlySet<string>;
  /** Names of enumerators. */
  readonly enumerators: ReadonlySet<string>;
}

/**
 * The headers that the compiler finds, or why there are none.
 *
 * @throws {Deno.errors.NotFound} if `KVM_HEADERS` has not both of KVM's: the compiler would take the
 * system's in their place.
 */
export async function readHeader(): Promise<Header | string> {
  if (directory !== undefined) {
    for (const part of ["linux", "asm"]) await Deno.stat(`${directory}/${part}/kvm.h`);
  }
  const source = "#include <linux/version.h>\n#include <linux/kvm.h>\n";
  let defined, text;
  try {
    [defined, text] = [await gcc(source, "-E", "-dM"), await gcc(source, "-E", "-P")];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "there is no gcc";
    throw error;
  }
  if (!defined.success && directory !== undefined) throw new Error(defined.err);
  if (!defined.success) return "linux/kvm.h is not installed";
  const macros = new Map<string, string>();
  for (
    const [, name = "", body = ""] of defined.out.matchAll(/^#define (\w+)(?:\(.*?\))? ?(.*)$/gm)
  ) {
    macros.set(name, body);
  }
  const structs = text.out.matchAll(/\bstruct (kvm_\w+)\s*\{/g);
  const enums = text.out.matchAll(/\benum\s*\w*\s*\{([^}]*)\}/g);
  const enumerators = [...enums].flatMap(([, body = ""]) =>
    body.match(/\w+(?=\s*(?:,|=|$))/g) ?? []
  );
  return {
    release: Number(macros.get("LINUX_VERSION_CODE")) & ~0xff,
    macros,
    structs: new Set([...structs].map(([, name = ""]) => name)),
    enumerators: new Set(enumerators),
  };
}

/** Which of the members, each given as an lvalue, do not exist. */
export async function missingMembers(members: readonly string[]): Promise<Set<string>> {
  const lines = members.map((member, index) => `const void *m${index} = &${member};`);
  const { err } = await gcc(prologue + lines.join("\n"), "-fsyntax-only", "-fmax-errors=0");
  const first = prologue.split("\n").length;
  const missing = new Set<string>();
  for (const [message, line] of err.matchAll(/^<stdin>:(\d+):\d+: error: .*$/gm)) {
    const member = members[Number(line) - first];
    if (member === undefined || !message.includes("has no member named")) throw new Error(message);
    missing.add(member);
  }
  return missing;
}

/** The values of C expressions, each converted to an unsigned 64-bit integer. */
export async function evaluate(expressions: readonly string[]): Promise<bigint[]> {
  const lines = expressions.map((expression) => `  (unsigned long long)(${expression}),`);
  const source = `${prologue}
static const unsigned long long values[] = {
${lines.join("\n")}
};
int main(void) {
  for (unsigned i = 0; i < sizeof(values) / sizeof(*values); i++) printf("%llu\\n", values[i]);
}
`;
  const folder = await Deno.makeTempDir();
  try {
    const program = `${folder}/uapi`;
    const compiled = await gcc(source, "-o", program);
    if (!compiled.success) throw new Error(compiled.err);
    const { stdout } = await new Deno.Command(program).output();
    return new TextDecoder().decode(stdout).trim().split("\n").map(BigInt);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

// Some headers between Linux 6.2 and 6.9 use macros that only the kernel itself has.
const prologue = `#include <stddef.h>
#include <stdio.h>
#include <linux/kvm.h>
#ifndef BIT
#define BIT(n) (1ul << (n))
#endif
#ifndef BIT_ULL
#define BIT_ULL(n) (1ull << (n))
#endif
#ifndef GENMASK_ULL
#define GENMASK_ULL(high, low) ((~0ull << (low)) & (~0ull >> (63 - (high))))
#endif
`;

async function gcc(source: string, ...options: string[]) {
  const child = new Deno.Command("gcc", {
    args: [...include, ...options, "-w", "-x", "c", "-"],
    env: { LC_ALL: "C" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(source));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  return {
    success,
    out: new TextDecoder().decode(stdout),
    err: new TextDecoder().decode(stderr),
  };
}
