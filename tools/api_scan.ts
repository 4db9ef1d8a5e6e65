/**
 * Finds which public method makes which ioctl and enables which capability, by reading the sources:
 * a method makes those that its text names as `KVM.KVM_...`, and those of the functions, constants,
 * constructors and non-public or overridden members that its text uses. It relies on deno fmt's layout: what a
 * module declares begins a line, a class's members are indented by two spaces.
 *
 * @module
 */

/** A public method or property that makes an ioctl. */
export interface Method {
  /** The class that a user has in hand: `"Vm"`, not the abstract one that declares it. */
  readonly owner: string;
  /** Its name. */
  readonly name: string;
  /** Whether it is the class's, and not an object's. */
  readonly isStatic: boolean;
}

/** What the sources say. */
export interface Scan {
  /** Methods by ioctl. */
  readonly ioctls: ReadonlyMap<string, readonly Method[]>;
  /** Methods by capability that they enable, without `KVM_CAP_`. */
  readonly enables: ReadonlyMap<string, readonly Method[]>;
}

/** A function, constant or class of a module. */
interface Declaration {
  readonly file: string;
  readonly name: string;
  readonly kind: "function" | "const" | "class";
  readonly text: string;
  readonly isAbstract: boolean;
  readonly parent: string | undefined;
  readonly members: readonly Member[];
}

interface Member {
  readonly name: string;
  readonly text: string;
  readonly isPublic: boolean;
  readonly isStatic: boolean;
}

/** A module: what it declares, what it imports under which name, whose exports it passes on. */
interface Module {
  readonly declarations: ReadonlyMap<string, Declaration>;
  readonly imports: ReadonlyMap<string, readonly [file: string, name: string]>;
  readonly passesOn: readonly string[];
}

const TOP = /^(?:export )?(?:default )?(abstract )?(?:async )?(function|const|class)\*? (\w+)/;
const MODIFIERS =
  /(?:(?:static|override|async|readonly|protected|private|get|set|declare|abstract) )*/;
const MEMBER = new RegExp(`^ {2}(${MODIFIERS.source})\\*?([#\\w]+|\\[[^\\]]+\\])[(<=:;?!]`);
const INTERNAL = "@internal";
const ENABLE_CAP = "enableCap";
/** A capability is turned on here. */
const ENABLES = /\benableCap\(|\bKVM\.KVM_ENABLE_CAP\b/;
/** A capability that is only asked for. */
const ASKED = /\b(?:check|need|lacking)\((?:\w+, )?Cap\.\w+/g;

/** Reads modules by their path, `{ "src/kvm/kvm.ts": text }`. `exported` are the public classes. */
export function scan(
  sources: Readonly<Record<string, string>>,
  exported: ReadonlySet<string>,
): Scan {
  const modules = new Map(
    Object.entries(sources).map(([file, text]) => [file, parseModule(file, text)]),
  );
  const resolver = new Resolver(modules);
  const ioctls = new Map<string, Method[]>();
  const enables = new Map<string, Method[]>();
  for (const { declarations } of modules.values()) {
    for (const declaration of declarations.values()) {
      const { name: owner, kind, isAbstract } = declaration;
      if (kind !== "class" || isAbstract || !exported.has(owner)) continue;
      for (const { name, isStatic, text } of resolver.publicMembers(declaration)) {
        const method = { owner, name, isStatic };
        const reached = resolver.reach(declaration, text);
        for (const ioctl of namesIn(reached, /(?<!typeof )\bKVM\.(KVM_\w+)/g)) {
          add(ioctls, ioctl, method);
        }
        if (name === ENABLE_CAP || ![...reached].some((part) => ENABLES.test(part))) continue;
        for (const cap of namesIn([text.replaceAll(ASKED, "")], /\bCap\.(\w+)/g)) {
          add(enables, cap, method);
        }
      }
    }
  }
  return { ioctls, enables };
}

function add(map: Map<string, Method[]>, key: string, method: Method): void {
  const known = map.get(key) ?? [];
  const same = ({ owner, name }: Method) => owner === method.owner && name === method.name;
  // A getter and its setter are one.
  if (!known.some(same)) map.set(key, [...known, method]);
}

function namesIn(texts: Iterable<string>, pattern: RegExp): Set<string> {
  return new Set(
    [...texts].flatMap((text) => [...text.matchAll(pattern)].map((match) => match[1]!)),
  );
}

/** Follows names to what they stand for. */
class Resolver {
  readonly #modules: ReadonlyMap<string, Module>;

  constructor(modules: ReadonlyMap<string, Module>) {
    this.#modules = modules;
  }

  /** What a name means in a module, through imports and re-exports. */
  find(file: string, name: string): Declaration | undefined {
    const module = this.#modules.get(file);
    if (module === undefined) return undefined;
    const own = module.declarations.get(name);
    if (own !== undefined) return own;
    const imported = module.imports.get(name);
    if (imported !== undefined) return this.find(...imported);
    for (const other of module.passesOn) {
      const found = this.find(other, name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** A class and those it extends. */
  chain(declaration: Declaration): Declaration[] {
    const { file, parent } = declaration;
    const above = parent === undefined ? undefined : this.find(file, parent);
    return above === undefined ? [declaration] : [declaration, ...this.chain(above)];
  }

  /** The public members of a class and of those it extends, the nearest of each name. */
  publicMembers(declaration: Declaration): Member[] {
    const members = new Map<string, Member>();
    for (const { members: own } of this.chain(declaration)) {
      for (const member of own) {
        const key = `${member.isStatic} ${member.name} ${/^ {2}(?:\w+ )*?set /.test(member.text)}`;
        if (member.isPublic && !members.has(key)) members.set(key, member);
      }
    }
    return [...members.values()];
  }

  /** The text of a member, and of everything that it uses and that is no public member. */
  reach(declaration: Declaration, text: string): Set<string> {
    const texts = new Set<string>();
    const visit = (owner: Declaration, text: string) => {
      if (texts.has(text)) return;
      texts.add(text);
      for (const [, name = ""] of text.matchAll(/\bthis\.(#?\w+)/g)) {
        for (const { members, ...above } of this.chain(this.#userOf(declaration, owner))) {
          const hidden = members.find((member) => member.name === name && !member.isPublic);
          if (hidden !== undefined) visit({ members, ...above }, hidden.text);
        }
      }
      for (const [, name = ""] of text.matchAll(/\bsuper\.(\w+)/g)) {
        for (const { members, ...above } of this.chain(owner).slice(1)) {
          const found = members.find((member) => member.name === name);
          if (found === undefined) continue;
          visit({ members, ...above }, found.text);
          break;
        }
      }
      for (const [, isNew, name = "", member] of text.matchAll(USED)) {
        const used = this.find(owner.file, name);
        if (used === undefined) continue;
        if (used.kind !== "class") visit(used, used.text);
        else {
          const called = isNew === undefined ? member : "constructor";
          const found = used.members.find(({ name }) => name === called);
          if (found !== undefined) visit(used, found.text);
        }
      }
    };
    // The member may be declared further up, where other names are imported.
    const home = this.chain(declaration).find(({ members }) =>
      members.some((member) => member.text === text)
    );
    visit(home ?? declaration, text);
    return texts;
  }

  /** `this` is the object of the class that was asked for, where a class of its chain is read. */
  #userOf(declaration: Declaration, owner: Declaration): Declaration {
    const inChain = this.chain(declaration).some(({ file, name }) =>
      file === owner.file && name === owner.name
    );
    return inChain ? declaration : owner;
  }
}

/** `name`, `new Name`, `Name.member`; not `.name`. */
const USED = /(?<![.\w#"])(new )?([A-Za-z_]\w*)(?:\.(\w+))?/g;

function parseModule(file: string, source: string): Module {
  const text = withoutComments(source);
  const imports = new Map<string, [string, string]>();
  const passesOn: string[] = [];
  for (
    const [, what, names = "", specifier = ""] of text.matchAll(
      /^(import|export) (?:type )?(\*|\{[^}]*\}) ?from "([^"]+)";/gm,
    )
  ) {
    if (!specifier.startsWith(".")) continue;
    const target = new URL(specifier, `file:///${file}`).pathname.slice(1);
    if (names === "*") passesOn.push(target);
    else {
      for (const [, name = "", alias = name] of names.matchAll(/(\w+)(?: as (\w+))?(?=[,\s}])/g)) {
        if (name !== "type") imports.set(alias, [target, name]);
      }
    }
    if (what === "import") continue;
  }
  const declarations = new Map<string, Declaration>();
  for (const part of text.split(/^(?=[a-z@}/])/m)) {
    const [, isAbstract, kind, name] = TOP.exec(part) ?? [];
    if (kind === undefined || name === undefined) continue;
    const parent = /^[^{]*\bextends (\w+)/.exec(part)?.[1];
    declarations.set(name, {
      file,
      name,
      kind: kind as Declaration["kind"],
      text: part,
      isAbstract: isAbstract !== undefined,
      parent: kind === "class" ? parent : undefined,
      members: kind === "class" ? membersOf(part) : [],
    });
  }
  return { declarations, imports, passesOn };
}

function membersOf(text: string): Member[] {
  const members: Member[] = [];
  let internal = false;
  for (const part of text.split(/^(?= {2}\S)/m)) {
    if (part.startsWith(`  ${INTERNAL}`)) internal = true;
    const [, modifiers = "", name] = MEMBER.exec(part) ?? [];
    // The end of a signature or a body that spans lines belongs to what is before it.
    if (name === undefined) {
      const last = members.at(-1);
      if (last !== undefined && /^ {2}[)}\]]/.test(part)) {
        members[members.length - 1] = { ...last, text: last.text + part };
      }
      continue;
    }
    members.push({
      name,
      text: part,
      isPublic: !internal && !/^(#|constructor$)/.test(name) &&
        !/\b(protected|private)\b/.test(modifiers),
      isStatic: /\bstatic\b/.test(modifiers),
    });
    internal = false;
  }
  return members;
}

/** The code alone; a comment that says `@internal` leaves that. */
function withoutComments(source: string): string {
  return source
    .replaceAll(/\/\*[^]*?\*\//g, (comment) => comment.includes(INTERNAL) ? INTERNAL : "")
    .replaceAll(/^\s*\/\/.*\n/gm, "");
}
