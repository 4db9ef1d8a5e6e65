import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { KvmError } from "../../ffi/mod.ts";
import {
  assemble,
  AssembleError,
  assembleFile,
  type AssembleMessage,
} from "../../src/assemble/mod.ts";

const ignore = !hasNasm();

function hasNasm(): boolean {
  try {
    return new Deno.Command("nasm", { args: ["-v"] }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function testWithNasm(name: string, fn: () => void): void {
  Deno.test({ name: `${name} (needs nasm)`, ignore, fn });
}

function hex(bytes: Uint8Array): string {
  return bytes.toHex();
}

function mistake(source: string): AssembleError {
  return assertThrows(() => assemble(source), AssembleError);
}

testWithNasm("A snippet becomes 64-bit code at 0x1000", () => {
  assertEquals(hex(assemble("mov rax, here\nhere: hlt")), "48b80a10000000000000f4");
});

testWithNasm("The code is of the size asked for", () => {
  const source = "mov eax, 1";
  assertEquals(hex(assemble(source, { bits: 16 })), "66b801000000");
  assertEquals(hex(assemble(source, { bits: 32 })), "b801000000");
  assertEquals(hex(assemble("push ax", { bits: 64 })), "6650");
});

testWithNasm("The code is for the origin asked for, zero and high ones too", () => {
  assertEquals(hex(assemble("dq $", { origin: 0 })), "0000000000000000");
  assertEquals(hex(assemble("dw $", { origin: 0x7c00, bits: 16 })), "007c");
  assertEquals(hex(assemble("dq $", { origin: 0x1_0000_0000 })), "0000000001000000");
});

testWithNasm("A source may state bits and org itself", () => {
  assertEquals(hex(assemble("bits 16\norg 0x7c00\nmov ax, $")), "b8007c");
  assertEquals(hex(assemble("[org 0x600]\ndw $")), "0006");
});

testWithNasm("An org in the source that contradicts the origin in the options is a mistake", () => {
  const error = assertThrows(() => assemble("nop\norg 0x600", { origin: 0 }), AssembleError);
  assertEquals(error.line, 2);
});

testWithNasm("An empty source is an empty image", () => {
  assertEquals(assemble("").length, 0);
  assertEquals(assemble("\n  \n; nothing\n").length, 0);
});

testWithNasm(
  "Quotes, comments, CRLF, hyphens and continued lines mean what they do in a file",
  () => {
    const source = [
      'db "a\'b;c", `\\n`, \'"\' ; "unclosed, in a comment',
      "--before: db \\",
      "  2",
    ];
    assertEquals(
      hex(assemble(source.slice(0, 1).concat("db \\", "  2", "db 3").join("\r\n"))),
      "6127623b630a220203",
    );
    assertEquals(mistake(source.join("\n")).line, 2);
  },
);

testWithNasm("Macros, repetitions and conditions work across lines", () => {
  const source = `
%macro twice 1
        db %1
        db %1
%endmacro
        twice 7
%rep 3
        db 1
%endrep
%if 0
        this is no code
%else
        db 2
%endif`;
  assertEquals(hex(assemble(source)), "070701010102");
});

testWithNasm("Code whose length takes several passes comes out right", () => {
  const code = assemble("jmp end\ntimes 300 nop\njmp end\nend: hlt");
  assertEquals(code.length, 5 + 300 + 2 + 1);
  assertEquals(hex(code.subarray(0, 5)), "e92e010000");
});

testWithNasm("An image may be larger than a pipe's buffer", () => {
  const code = assemble("times 1 << 20 db 0x5a");
  assertEquals(code.length, 1 << 20);
  assert(code.every((byte) => byte === 0x5a));
});

testWithNasm("A mistake names the source's own line and NASM's sentence", () => {
  const error = mistake("mov al, 1\n\n; comment\nmov al, nowhere\n");
  assertEquals(error.line, 4);
  assertEquals(error.message, "Cannot assemble line 4: symbol `nowhere' not defined");
  assertEquals(error.messages, [{
    severity: "error",
    text: "symbol `nowhere' not defined",
    file: undefined,
    line: 4,
  }]);
  assertStringIncludes(error.output, "nowhere");
  assert(!error.output.includes("/proc"), error.output);
});

testWithNasm("All mistakes are listed, the first one is the error's", () => {
  const error = mistake("nop\nmov al\nmov bl");
  assertEquals(error.messages.map(({ line }) => line), [2, 3]);
  assertEquals(error.line, 2);
  assertStringIncludes(error.message, "(and 1 more)");
});

testWithNasm("A mistake in a macro is reported where the macro is used", () => {
  assertEquals(mistake("%macro bad 0\nmov al\n%endmacro\nnop\nbad").line, 5);
});

testWithNasm("Warnings reach the caller and do not stop the assembly", () => {
  const warnings: AssembleMessage[] = [];
  const code = assemble("nop\nmov al, 300", { onWarning: (warning) => warnings.push(warning) });
  assertEquals(hex(code), "90b02c");
  assertEquals(warnings.map(({ severity, line }) => ({ severity, line })), [
    { severity: "warning", line: 2 },
  ]);
});

testWithNasm("Warnings are printed where nobody takes them", () => {
  const printed: unknown[] = [];
  const { warn } = console;
  console.warn = (...words: unknown[]) => printed.push(...words);
  try {
    assemble("mov al, 300");
  } finally {
    console.warn = warn;
  }
  assertEquals(printed.length, 1);
  assertStringIncludes(String(printed[0]), "line 1: byte data exceeds bounds");
});

testWithNasm(
  "Included files are found in the folders named, with a slash at the end or without",
  () => {
    const folder = Deno.makeTempDirSync();
    try {
      Deno.writeTextFileSync(`${folder}/seven.inc`, "db 7\n");
      Deno.writeTextFileSync(`${folder}/own.asm`, 'bits 16\norg 0x600\n%include "seven.inc"\ndw $');
      for (const include of [folder, `${folder}/`]) {
        assertEquals(hex(assemble('%include "seven.inc"\ndb 8', { include: [include] })), "0708");
      }
      assertEquals(hex(assembleFile(`${folder}/own.asm`)), "070106");
      assertEquals(hex(assembleFile(new URL(`file://${folder}/own.asm`))), "070106");
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
    const error = assertThrows(
      () => assemble('nop\n%include "absent.inc"'),
      AssembleError,
      "unable to open include file",
    );
    assertEquals(error.line, 2);
  },
);

testWithNasm("A mistake in a file names the file and the line", () => {
  const path = Deno.makeTempFileSync({ suffix: ".asm" });
  try {
    Deno.writeTextFileSync(path, "nop\nmov al\n");
    const error = assertThrows(() => assembleFile(path), AssembleError, path);
    assertEquals([error.line, error.messages[0]?.file], [2, path]);
  } finally {
    Deno.removeSync(path);
  }
});

testWithNasm("A file that is not there is an error, even one named like an option", () => {
  assertThrows(() => assembleFile("/nonexistent.asm"), AssembleError, "unable to open input file");
  assertThrows(() => assembleFile("-v"), AssembleError, "unable to open input file");
});

testWithNasm("A mistake removes nothing: /dev/stdout is still there afterwards", () => {
  const before = Deno.lstatSync("/dev/stdout").ino;
  mistake("mov al");
  assertEquals(Deno.lstatSync("/dev/stdout").ino, before);
});

testWithNasm("A source beyond the command line's limit is refused with a way out", () => {
  const error = assertThrows(() => assemble(`db "${"x".repeat(200_000)}"`), KvmError);
  assertEquals(error.code, "E2BIG");
  assertStringIncludes(error.message, "assembleFile");
});

testWithNasm("A folder is no empty program", () => {
  const folder = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(`${folder}/empty.asm`, "; nothing\n");
    assertEquals(assembleFile(`${folder}/empty.asm`).length, 0);
    for (const path of [folder, `${folder}/`, new URL(`file://${folder}`), "."]) {
      const error = assertThrows(() => assembleFile(path), KvmError, "is a folder");
      assertEquals(error.code, "EISDIR");
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

// deno-lint-ignore no-explicit-any -- what the types forbid
type Anything = any;

Deno.test("Options that cannot be are refused by name, before NASM starts", () => {
  const cases: readonly [options: Anything, message: string, code?: string][] = [
    [null, "What says how is an object"],
    [{ org: 0x7c00 }, "has no org"],
    [{ origin: -1 }, "origin is an address"],
    [{ origin: 1.5 }, "origin is an address"],
    [{ origin: NaN }, "origin is an address"],
    [{ origin: null }, "origin is an address"],
    [{ origin: Symbol() }, "origin is an address"],
    [{ bits: 8 }, "bits is 16, 32 or 64"],
    [{ bits: Symbol() }, "bits is 16, 32 or 64"],
    [{ include: "inc" }, "include is a list"],
    [{ include: null }, "include is a list"],
    [{ include: [5] }, "A folder of include is a name"],
    [{ include: new Array(2) }, "A folder of include is a name"],
    [{ include: [""] }, "A folder of include is a name"],
    [{ include: ["a\0b"] }, "A folder of include is a name"],
    [{ include: new Array(2 ** 32 - 1) }, "include has at most", "E2BIG"],
    [{ onWarning: 5 }, "onWarning is a function"],
    [{ onWarning: null }, "onWarning is a function"],
  ];
  for (const [options, message, code = "EINVAL"] of cases) {
    const error = assertThrows(() => assemble("nop", options), KvmError);
    assertStringIncludes(error.message, message);
    assertEquals(error.code, code, message);
  }
});

Deno.test("A source that is no text is refused before NASM starts", () => {
  for (const source of [null, undefined, 5, ["nop"], new Uint8Array(1), "nop\0"] as Anything[]) {
    assertEquals(assertThrows(() => assemble(source), KvmError).code, "EINVAL");
  }
});

Deno.test("What names no file is refused before NASM starts", () => {
  const cases: readonly [path: Anything, message: string][] = [
    [null, "path is a name"],
    [5, "path is a name"],
    ["", "path is a name"],
    ["a\0b", "path is a name"],
    [new URL("file:///tmp/a%00b"), "path is a name"],
    [new URL("file:///tmp/%zz"), "path is a URL"],
    [new URL("https://example.com/a.asm"), "no https: URLs"],
  ];
  for (const [path, message] of cases) {
    const error = assertThrows(() => assembleFile(path), KvmError, message);
    assertEquals(error.code, "EINVAL");
  }
  const error = assertThrows(() => assembleFile("a.asm", 5 as Anything), KvmError);
  assertStringIncludes(error.message, "onWarning is a function");
});

/** Runs a script that assembles a NOP, in a process with these permissions and environment. */
function assembleElsewhere(args: string[], env: Record<string, string> = {}): string {
  const door = new URL("../../src/assemble/mod.ts", import.meta.url).href;
  const script = `
    import { assemble } from ${JSON.stringify(door)};
    try {
      console.log(assemble("nop").toHex());
    } catch (error) {
      console.log(error.code, error.message);
    }`;
  const { stdout } = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...args, `data:text/javascript,${encodeURIComponent(script)}`],
    env,
    stderr: "null",
  }).outputSync();
  return new TextDecoder().decode(stdout).trim();
}

testWithNasm("--allow-run=nasm is all the permission it takes", () => {
  assertEquals(assembleElsewhere(["--allow-run=nasm"]), "90");
});

testWithNasm("Without the permission to run NASM the error says which one to give", () => {
  const message = assembleElsewhere([]);
  assertStringIncludes(message, "EACCES Cannot assemble");
  assertStringIncludes(message, "--allow-run=nasm");
});

Deno.test("Without NASM the error says how to get it", () => {
  for (const permission of ["--allow-run=nasm", "--allow-run"]) {
    const message = assembleElsewhere([permission], { PATH: "/nonexistent" });
    assertStringIncludes(message, "ENOENT Cannot assemble");
    assertStringIncludes(message, "apt install nasm");
  }
});
