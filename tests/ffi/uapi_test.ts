import { assert, assertEquals } from "@std/assert";
import { errnoName } from "../../ffi/errno.ts";
import { encode, type IoctlSpec } from "../../ffi/ioctl.ts";
import { layoutOf, type Table } from "../../ffi/struct/mod.ts";
import { Cap, otherArchitectureCaps, retiredCaps } from "../../ffi/uapi/caps.ts";
import { families } from "../../ffi/uapi/constants/families.ts";
import {
  leftOutConstants,
  otherArchitectureConstants,
  otherArchitectures as architectures,
  retiredPrefixes,
} from "../../ffi/uapi/constants/left_out.ts";
import * as constants from "../../ffi/uapi/constants/mod.ts";
import { ExitReason, OtherArchitectureExit } from "../../ffi/uapi/exits.ts";
import {
  deviceIoctls,
  ioctls,
  otherArchitectures,
  removed,
  superseded,
  systemIoctls,
  vcpuIoctls,
  vmIoctls,
} from "../../ffi/uapi/ioctls.ts";
import { otherArchitectureStructs, retiredStructs } from "../../ffi/uapi/structs/left_out.ts";
import * as structs from "../../ffi/uapi/structs/mod.ts";
import { evaluate, type Header, missingMembers, readHeader } from "./uapi_header.ts";
import { constantName, members, snakeCase } from "./uapi_names.ts";
import { appearedIn, grewIn } from "./uapi_since.ts";

const header = await readHeader();
const ignore = typeof header === "string";
const because = ignore ? ` (ignored: ${header})` : "";

/** A number that C knows by `name`, as the expression `c`; `value` is what the tables say. */
interface Claim {
  readonly name: string;
  readonly c: string;
  readonly value: bigint;
}

const specs: [string, IoctlSpec][] = Object.entries(ioctls);
const tables = new Map<string, Table>(
  Object.entries(structs).map(([name, table]) => [snakeCase(name), table]),
);
const layouts = new Set([...tables.values()].map(layoutOf));

function* constantClaims(): Generator<Claim> {
  const claim = (name: string, value: number | bigint) => ({ name, c: name, value: BigInt(value) });
  for (const [name, value] of Object.entries({ ...Cap, ...retiredCaps })) {
    yield claim(`KVM_CAP_${name}`, value);
  }
  for (const [name, value] of Object.entries({ ...ExitReason, ...OtherArchitectureExit })) {
    yield claim(`KVM_EXIT_${name}`, value);
  }
  for (const [family, pattern] of Object.entries(families)) {
    const values: Record<string, number | bigint> = constants[family as keyof typeof families];
    for (const [member, value] of Object.entries(values)) {
      yield claim(constantName(pattern, member), value);
    }
  }
  for (const [name, spec] of specs) yield claim(name, encode(spec));
}

function* layoutClaims(header: Header): Generator<Claim & { member?: string }> {
  for (const [struct, table] of tables) {
    const layout = layoutOf(table);
    const claim = (what: string, c: string, value: number) => ({
      name: `struct ${struct}${what}`,
      c,
      value: BigInt(value),
    });
    if (!header.structs.has(struct)) {
      yield { ...claim("", "0", 0), member: "" };
      continue;
    }
    yield claim("", `sizeof(struct ${struct})`, layout.size);
    yield claim("", `_Alignof(struct ${struct})`, layout.align);
    for (const { path, offset, size, stride, signed } of members(layout, layouts, struct)) {
      const member = `((struct ${struct} *)0)->${path}`;
      const about = (c: string, value: number) => ({ ...claim(`.${path}`, c, value), member });
      yield about(`offsetof(struct ${struct}, ${path})`, offset);
      if (stride === 0) yield about(`sizeof(${member})`, size);
      else yield about(`sizeof(${member}[0])`, stride);
      if (signed !== undefined) {
        const type = `__typeof__(${member})`;
        yield about(`(${type})-1 < (${type})0`, Number(signed));
      }
    }
  }
}

/** Leaves out what the header is too old for, and says so; what it should have stays in. */
function withoutNewer<T extends Claim>(
  claims: T[],
  missing: (claim: T) => boolean,
  { release }: Header,
): T[] {
  const absent = claims.filter(missing);
  const names = [...new Set(absent.map(({ name }) => name))];
  const overdue = names.filter((name) => appearedIn(name) <= release);
  assertEquals(overdue, [], "the header should have these, and does not");
  if (names.length > 0) {
    console.log(`${names.length} not in this header (${linux(release)}): ${names.join(", ")}`);
  }
  return claims.filter((claim) => !missing(claim));
}

async function assertTrue(claims: Claim[]): Promise<void> {
  const values = await evaluate(claims.map(({ c }) => c));
  assertEquals(values.length, claims.length);
  const wrong = claims.flatMap(({ name, c, value }, index) =>
    values[index] === value ? [] : [`${name}: ${c} is ${values[index]} and not ${value}`]
  );
  assertEquals(wrong, []);
}

function linux(release: number): string {
  return `Linux ${release >> 16}.${(release >> 8) & 0xff}`;
}

Deno.test({
  name: `capabilities, exit reasons, constants and ioctl numbers are the C header's${because}`,
  ignore,
  async fn() {
    const known = header as Header;
    const claims = [...constantClaims()];
    assert(claims.length > 500);
    const missing = ({ name }: Claim) => !known.macros.has(name) && !known.enumerators.has(name);
    await assertTrue(withoutNewer(claims, missing, known));
  },
});

Deno.test({
  name:
    `struct sizes, alignments, and members' offsets, sizes and signs are the C header's${because}`,
  ignore,
  async fn() {
    const known = header as Header;
    const claims = [...layoutClaims(known)];
    assert(claims.length > 1000);
    const asked = [...new Set(claims.flatMap(({ member }) => member ? [member] : []))];
    const absent = await missingMembers(asked);
    const missing = ({ member }: { member?: string }) =>
      member !== undefined && (member === "" || absent.has(member));
    const sized = claims.filter(({ name, c }) =>
      !c.startsWith("sizeof") || grewIn(name) <= known.release
    );
    await assertTrue(withoutNewer(sized, missing, known));
  },
});

Deno.test({
  name:
    `the tables have, or leave out with a reason, all of the C header's x86 interface${because}`,
  ignore,
  fn() {
    const { macros, enumerators, structs } = header as Header;
    const reasons = new Set<string>([
      ...[...constantClaims()].map(({ name }) => name),
      ...Object.keys(otherArchitectureCaps).map((name) => `KVM_CAP_${name}`),
      ...[superseded, removed, otherArchitectures].flatMap(Object.keys),
      ...[leftOutConstants, otherArchitectureConstants].flatMap(Object.keys),
    ]);
    const foreign = (name: string) =>
      architectures.some((word) => name.toUpperCase().split("_").includes(word));
    const named = [...macros.keys(), ...enumerators].filter((name) =>
      /^(GUEST_MEM|KVM)/.test(name)
    );
    assert(named.length > 500);
    // A capability or an ioctl is listed by name; another architecture's constants by its word.
    const isListed = (name: string) =>
      reasons.has(name) ||
      (!name.startsWith("KVM_CAP_") && !isIoctl(name) && foreign(name)) ||
      retiredPrefixes.some((prefix) => name.startsWith(prefix));
    const isIoctl = (name: string): boolean => {
      const body = macros.get(name) ?? "";
      return /\b_IOW?R?\(/.test(macros.get(body) ?? body);
    };
    assertEquals(named.filter((name) => !isListed(name)), [], "constants");

    const known = new Set([retiredStructs, otherArchitectureStructs].flatMap(Object.keys));
    assert(structs.size > 80);
    const unknown = [...structs].filter((struct) =>
      !tables.has(struct) && !known.has(struct) && !foreign(struct)
    );
    assertEquals(unknown, [], "structs");
  },
});

Deno.test("every family of constants has a C name, and every C name's family exists", () => {
  assertEquals(Object.keys(families).sort(), Object.keys(constants).sort());
});

Deno.test("no ioctl is in two of the layers' tables", () => {
  const layers = [systemIoctls, vmIoctls, vcpuIoctls, deviceIoctls];
  const names = layers.flatMap((layer) => Object.keys(layer));
  assertEquals(names.length, new Set(names).size);
  assertEquals(names, Object.keys(ioctls));
});

Deno.test("no two ioctls that an object takes have the same request number", () => {
  for (const layer of ["system", "vm", "vcpu", "device"] as const) {
    const numbers = new Map<number, string>();
    for (const [name, spec] of specs) {
      if (![spec.on].flat().includes(layer)) continue;
      const request = encode(spec);
      assertEquals(numbers.get(request), undefined, `${name} on ${layer}`);
      numbers.set(request, name);
    }
  }
});

Deno.test("an ioctl's capability and a superseded one's successor are in the tables", () => {
  for (const [name, { cap }] of specs) assert(cap === undefined || cap in Cap, `${name}: ${cap}`);
  for (const [name, successor] of Object.entries(superseded)) assert(successor in ioctls, name);
});

Deno.test("an ioctl's hints are for errnos that exist, and are sentences", () => {
  const errnos = new Set(Array.from({ length: 134 }, (_, errno) => errnoName(errno)));
  for (const [name, { hints = {} }] of specs) {
    for (const [errno, hint] of Object.entries(hints)) {
      assert(errnos.has(errno), `${name}: ${errno}`);
      assert(/^[A-Za-z].{10,}[.]$/.test(hint), `${name}: ${hint}`);
    }
  }
});
