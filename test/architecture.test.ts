import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect } from "chai";
import ts from "typescript";

const root = resolve(import.meta.dirname, "..");

/** What lies at the bottom of signer/: pure, or a table, and free for every room above. */
const BASE = [
  "signer/tezos",
  "signer/errors.ts",
  "signer/at-once.ts",
  "signer/deadline.ts",
  "signer/duration.ts",
  "signer/rate-limit.ts",
  "signer/repetition.ts",
  "signer/invisible-characters.ts",
  "signer/contract.ts",
  "signer/own-command.ts",
] as const;

/** What stands in for the world around a signer; users run it too, so it knows nothing of the tests or of our code. */
const EMULATORS = [
  "test/emulators",
  "test/emulators/azure-resource-manager",
  "test/emulators/imds",
  "test/emulators/key-vault",
  "test/emulators/tezio",
] as const;

/**
 * The rooms of the house, and which other rooms each may import, types included. A file belongs to the row with the longest
 * name that it lies under; a file at a root that others build on is a room of its own. `/**` names a room and all below it.
 * A room imports rooms of rows above its own, so the table is read from the bottom of the house up. ARCHITECTURE.md says why
 * the rooms are cut so.
 */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  "package.json": [],

  "signer/tezos": [],
  "signer/contract.ts": ["signer/tezos"],
  "signer/at-once.ts": [],
  "signer/deadline.ts": [],
  "signer/duration.ts": [],
  "signer/rate-limit.ts": [],
  "signer/repetition.ts": [],
  "signer/invisible-characters.ts": [],
  "signer/own-command.ts": [],
  "signer/errors.ts": [],
  // How settings write a URL and a range of addresses; how whatever is asked for is sent.
  "signer/network": ["signer/errors.ts"],
  // What no message may repeat, and the reader of YAML that keeps to it.
  "signer/settings/secrets.ts": [],
  "signer/azure": [
    "signer/errors.ts",
    "signer/deadline.ts",
    "signer/contract.ts",
    "signer/network",
    "signer/repetition.ts",
    "signer/settings/secrets.ts",
  ],
  "signer/installation": ["signer/contract.ts", "package.json"],
  "signer/policy": [...BASE, "signer/network"],
  "signer/confirmation": [...BASE, "signer/network"],
  "signer/watermark": [...BASE, "signer/azure"],
  "signer/watermark/interchange": [...BASE, "signer/settings/secrets.ts", "signer/watermark"],
  "signer/pair": [...BASE, "signer/azure"],
  "signer/observability": [...BASE, "signer/network"],
  "signer/key-files": [...BASE, "signer/network"],
  "signer/keys": BASE,
  "signer/keys/azure-key-vault": [...BASE, "signer/azure", "signer/keys", "signer/network", "signer/observability"],
  "signer/keys/local": [...BASE, "signer/keys", "signer/key-files"],
  "signer/keys/pkcs11": [...BASE, "signer/keys"],
  "signer/keys/tezio": [...BASE, "signer/keys"],
  "signer/settings": [...BASE, "signer/network", "signer/policy", "signer/installation", "signer/settings/secrets.ts"],
  // Other signers' settings: what they say is read here, and nothing of theirs is known elsewhere.
  "signer/settings/conversion": [
    ...BASE,
    "signer/network",
    "signer/policy",
    "signer/settings",
    "signer/settings/secrets.ts",
  ],
  // Who may ask at all: judged as a request comes, and once more when a person has approved it.
  "signer/admission": [...BASE, "signer/network", "signer/policy"],
  // Looks at all of a signer that runs; only main.ts makes one.
  "signer/report": [
    ...BASE,
    "signer/confirmation",
    "signer/installation",
    "signer/keys",
    "signer/observability",
    "signer/pair",
    "signer/policy",
    "signer/settings",
    "signer/watermark",
  ],
  // What a server shares with the signing behind it: a request's settings and stages, where it is sent, where its outcome goes.
  "signer/signing/request-context.ts": [...BASE, "signer/settings"],
  "signer/signing/remote-signer.ts": [...BASE, "signer/signing/request-context.ts"],
  "signer/signing/audit-log.ts": [
    ...BASE,
    "signer/observability",
    "signer/signing/request-context.ts",
    "signer/watermark",
  ],
  "signer/signing": [
    ...BASE,
    "signer/admission",
    "signer/confirmation",
    "signer/keys",
    "signer/policy",
    "signer/settings",
    "signer/signing/audit-log.ts",
    "signer/signing/remote-signer.ts",
    "signer/signing/request-context.ts",
    "signer/watermark",
  ],
  "signer/http": [
    ...BASE,
    "signer/admission",
    "signer/network",
    "signer/observability",
    "signer/signing/audit-log.ts",
    "signer/signing/remote-signer.ts",
    "signer/signing/request-context.ts",
  ],
  // A request's way, gone without a request: all that it passes but stores and backends.
  "signer/rehearsal": [
    ...BASE,
    "signer/confirmation",
    "signer/http",
    "signer/keys",
    "signer/network",
    "signer/signing",
    "signer/signing/request-context.ts",
    "signer/watermark",
  ],
  "signer/backends.ts": [
    ...BASE,
    "signer/azure",
    "signer/keys/**",
    "signer/pair",
    "signer/settings",
    "signer/watermark",
  ],
  "signer/observers.ts": [
    ...BASE,
    "signer/azure",
    "signer/http",
    "signer/observability",
    "signer/report",
    "signer/settings",
  ],
  "signer/ports.ts": ["signer/http", "signer/observability", "signer/rehearsal", "signer/signing/**"],
  "signer/main.ts": [
    ...BASE,
    "signer/admission",
    "signer/backends.ts",
    "signer/confirmation",
    "signer/http",
    "signer/installation",
    "signer/keys/**",
    "signer/network",
    "signer/observability",
    "signer/observers.ts",
    "signer/pair",
    "signer/policy",
    "signer/ports.ts",
    "signer/rehearsal",
    "signer/report",
    "signer/settings",
    "signer/signing/**",
    "signer/watermark",
  ],
  // What else ends as a command does.
  "signer/cli/exit-codes.ts": [],
  "signer/cli": [
    ...BASE,
    "signer/cli/exit-codes.ts",
    "package.json",
    "signer/azure",
    "signer/backends.ts",
    "signer/confirmation",
    "signer/installation",
    "signer/key-files",
    "signer/keys/**",
    "signer/main.ts",
    "signer/network",
    "signer/policy",
    "signer/settings",
    "signer/settings/conversion",
    "signer/watermark/**",
  ],
  "signer/tezos-signer.js": ["signer/cli", "signer/main.ts"],

  // Whoever checks a release reads these files and no others of ours.
  release: [],
  "cloud-init": [],
  // The updater reads userData as the signer does, from the release that both are in.
  machine: ["signer/azure", "signer/contract.ts", "signer/errors.ts"],
  // `tezos-signer install` of a machine of one's own: the updater's parts, for settings in a file.
  "machine/own": ["machine", "signer/cli/exit-codes.ts", "signer/contract.ts", "signer/errors.ts", "signer/settings"],

  "infra/config": ["signer/contract.ts", "signer/network", "signer/settings/**"],
  "infra/firewall.ts": ["infra/config", "signer/contract.ts"],
  // What a month costs: told by the plan, and by the stack's outputs.
  "infra/cost.ts": ["infra/config"],
  // By which version of its API the vault is asked for, and when versions end.
  "infra/vault-api.ts": [],
  "infra/api-versions.ts": ["infra/vault-api.ts"],
  // What stands already, and what it does not become.
  "infra/standing": ["infra/config", "infra/vault-api.ts"],
  // Whether the machine's signer got ready, and what is told of it.
  "infra/readiness": ["infra/standing", "signer/invisible-characters.ts"],
  "infra/refusal.ts": [],
  // How the commands read their command lines.
  // Where the stacks' files lie.
  "infra/stack-folder.ts": [],
  "infra/command-line.ts": ["infra/stack-folder.ts"],
  // How Azure's resource manager is asked.
  "infra/arm": [],
  // What Azure has of machines: asked before one is replaced, and where one is refused.
  "infra/capacity": ["infra/arm", "infra/config", "infra/refusal.ts"],
  "infra/components": [
    "infra/capacity",
    "infra/config",
    "infra/firewall.ts",
    "infra/readiness",
    "infra/refusal.ts",
    "infra/standing",
    "infra/vault-api.ts",
    "signer/contract.ts",
  ],
  "infra/release": ["infra/components", "infra/standing", "release"],
  // What a plan is, as data: what the invariants judge, drawn or under way.
  "infra/plan/plan.ts": [],
  // What a text with a secret in it looks like.
  "infra/secret-forms.ts": [],
  "infra/invariants.ts": [
    "infra/components",
    "infra/config",
    "infra/plan/plan.ts",
    "infra/secret-forms.ts",
    "signer/contract.ts",
  ],
  "infra/inspection.ts": ["infra/invariants.ts", "infra/plan/plan.ts", "infra/refusal.ts", "infra/vault-api.ts"],
  "infra/user-data.ts": ["signer/contract.ts"],
  // The way back after a cut-off command: it reads Pulumi's state and Azure, and knows nothing of the program.
  "infra/recovery": ["infra/command-line.ts", "infra/stack-folder.ts", "infra/vault-api.ts"],
  // The component that other programs import: all of the stack but its settings' source and its release.
  "infra/tezos-signer.ts": [
    "cloud-init",
    "infra/components",
    "infra/config",
    "infra/firewall.ts",
    "infra/inspection.ts",
    "infra/readiness",
    "infra/standing",
    "infra/user-data.ts",
    "signer/contract.ts",
    "signer/settings",
  ],
  examples: ["infra/release", "infra/tezos-signer.ts"],
  infra: [
    "infra/api-versions.ts",
    "infra/command-line.ts",
    "infra/components",
    "infra/config",
    "infra/cost.ts",
    "infra/firewall.ts",
    "infra/inspection.ts",
    "infra/readiness",
    "infra/recovery",
    "infra/release",
    "infra/stack-folder.ts",
    "infra/tezos-signer.ts",
    "infra/vault-api.ts",
    "release",
    "signer/contract.ts",
  ],
  // Draws the stack without an account: runs the program, so nothing of the program imports it.
  "infra/plan": [
    "infra",
    "infra/api-versions.ts",
    "infra/command-line.ts",
    "infra/components",
    "infra/config",
    "infra/cost.ts",
    "infra/firewall.ts",
    "infra/invariants.ts",
    "infra/plan/plan.ts",
    "infra/stack-folder.ts",
    "infra/vault-api.ts",
    "signer/contract.ts",
    "signer/settings/secrets.ts",
  ],
  // Asks a person what a stack needs, and writes its file.
  "infra/setup": ["infra/command-line.ts", "infra/config", "infra/plan", "infra/stack-folder.ts"],
  // Asks Azure, before an `up`, for what the plan needs.
  "infra/preflight": [
    "infra/api-versions.ts",
    "infra/arm",
    "infra/capacity",
    "infra/command-line.ts",
    "infra/config",
    "infra/plan",
    "infra/plan/plan.ts",
    "infra/recovery",
    "infra/stack-folder.ts",
  ],
  // Takes the stack down, once Azure has been asked whether it would be refused.
  "infra/destroy.ts": ["infra/arm", "infra/command-line.ts", "infra/preflight", "infra/recovery"],
  // Tests on a stack that is up what is assumed of Azure.
  "infra/verify": [
    "infra/arm",
    "infra/command-line.ts",
    "infra/config",
    "infra/firewall.ts",
    "infra/preflight",
    "infra/readiness",
    "infra/recovery",
    "signer/contract.ts",
    "signer/key-files",
    "signer/tezos",
  ],
  // Has Azure send a test alert.
  "infra/test-alert": ["infra/arm", "infra/command-line.ts", "infra/config", "infra/preflight"],

  // Emulators first: they imitate what others made, by none of our code, so that no mistake of ours is in both.
  "test/emulators/key-vault": [],
  "test/emulators/imds": ["test/emulators/key-vault"],
  "test/emulators/tezio": [],
  "test/emulators": ["test/emulators/imds", "test/emulators/key-vault"],
  "test/emulators/azure-resource-manager": ["test/emulators"],
  "test/fixtures": ["infra/**", "signer/tezos", "signer/watermark/**"],
  demo: ["signer/keys/local", ...EMULATORS, "test/fixtures"],
  bench: [...EMULATORS, "test/fixtures"],
  "test/harness": ["signer/**", ...EMULATORS, "test/fixtures"],
  "test/infra": [
    "infra/**",
    "examples",
    "cloud-init",
    "release",
    "signer/azure",
    "signer/contract.ts",
    "signer/policy",
    "signer/settings",
    "signer/tezos",
    ...EMULATORS,
    "test/fixtures",
    "test/harness",
  ],
  "test/emulators/*.test.ts": [...EMULATORS, "infra/**", "test/fixtures", "test/harness", "test/infra"],
  "test/boot": ["cloud-init", "release", "signer/tezos", ...EMULATORS, "test/fixtures", "test/harness"],
  "test/campaigns": ["signer/**", ...EMULATORS, "test/boot", "test/fixtures", "test/harness", "test/infra"],
  "test/signer": ["signer/**", "package.json", ...EMULATORS, "test/campaigns", "test/fixtures", "test/harness"],
  "test/guard": ["signer/**", ...EMULATORS, "test/campaigns", "test/fixtures", "test/harness"],
  "test/conformance": [...EMULATORS, "test/fixtures", "test/harness"],
  "test/docs": ["infra/**", "signer/**", ...EMULATORS, "test/fixtures", "test/harness"],
  "test/release": ["release", "infra", ...EMULATORS, "test/harness"],
  "test/machine": ["machine", "machine/own", "signer/azure", "signer/http", "test/harness", "test/emulators"],
  // What any part writes and reads, beside what earlier versions wrote.
  "test/formats": ["infra/**", "machine", "signer/**", "package.json", ...EMULATORS, "test/fixtures", "test/harness"],
  "test/cloud-init": ["cloud-init", "test/harness", "test/emulators"],
  "test/monitoring": ["signer/**", ...EMULATORS, "test/fixtures", "test/harness"],
  "test/bench": ["bench"],
  // The runner, this file, and what holds for the whole tree.
  test: ["test/emulators", "test/harness"],
};

/** Folders with a dot at the front that are ours; what else has one belongs to somebody's tools. */
const OURS = [".ci", ".github"];

/** Every file of ours with code, as paths from the root. */
const files = globSync("**/*.{ts,js,mts,mjs,cts,cjs,tsx,jsx}", {
  cwd: root,
  exclude: (name) => ["node_modules", "coverage"].includes(name) || (name.startsWith(".") && !OURS.includes(name)),
}).sort();

/** Programs that a file starts as processes of their own, by the path that it writes: none of their code runs in it. */
const STARTED: Readonly<Record<string, readonly string[]>> = {
  "signer/cli/install.ts": ["../../machine/own/main.ts"],
};

/** The text of each file. */
const texts = new Map(files.map((file) => [file, readFileSync(join(root, file), "utf8")]));

/** What each file imports of ours, by any kind of import, types too. */
const imports = new Map([...texts].map(([file, text]) => [file, importsOf(file, text)]));

function importsOf(file: string, text: string): readonly string[] {
  const named = specifiersOf(text).filter((name) => name.startsWith("."));
  const isProgram = /^(?:signer|machine|infra|release|cloud-init)\//.test(file);
  const started = STARTED[file] ?? [];
  const quoted = isProgram ? quotedIn(text).filter((path) => !started.includes(path)) : [];
  const ours = [...named, ...quoted];
  return [...new Set(ours.map((name) => relative(root, resolve(root, dirname(file), name))))].filter(
    (path) => texts.has(path) || named.some((name) => relative(root, resolve(root, dirname(file), name)) === path),
  );
}

/** Whatever a file imports, as it is written. */
function specifiersOf(text: string): readonly string[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
}

/** Paths in quotes: createRequire, new URL and a comment's type lead to a file as an import does. */
function quotedIn(text: string): readonly string[] {
  return [...text.matchAll(/["'`](\.\.?\/[^"'`$\s]+\.[cm]?[jt]sx?)["'`]/g)].map(([, path = ""]) => path);
}

/** The row that a file belongs to, if there is one. */
function roomOf(file: string): string | undefined {
  const [tests] = file.endsWith(".test.ts") ? Object.keys(ROOMS).filter((room) => fits(room, file)) : [];
  if (tests !== undefined) return tests;
  const rooms = Object.keys(ROOMS).filter((room) => file === room || file.startsWith(`${room}/`));
  return rooms.sort((one, other) => other.length - one.length)[0];
}

/** Whether a row for the tests of a folder has this one. */
function fits(room: string, file: string): boolean {
  return room.endsWith("/*.test.ts") && file.startsWith(room.slice(0, -"*.test.ts".length));
}

/** The rooms that a room may import, itself included. */
function allowed(room: string): ReadonlySet<string> {
  const named = (ROOMS[room] ?? []).flatMap((entry) => {
    if (!entry.endsWith("/**")) return [entry];
    const top = entry.slice(0, -"/**".length);
    return Object.keys(ROOMS).filter((each) => each === top || each.startsWith(`${top}/`));
  });
  return new Set([room, ...named]);
}

/** Tarjan's strongly connected components of more than one member, and members that name themselves. */
function cycles(graph: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const found: (readonly string[])[] = [];
  const visit = (node: string): number => {
    const index = order.size;
    order.set(node, index);
    lowest.set(node, index);
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      const low = order.has(next) ? (stack.includes(next) ? (order.get(next) ?? index) : index) : visit(next);
      lowest.set(node, Math.min(lowest.get(node) ?? index, low));
    }
    const low = lowest.get(node) ?? index;
    if (low === index) {
      const members = stack.splice(stack.indexOf(node));
      if (members.length > 1 || graph.get(node)?.includes(node)) found.push(members);
    }
    return low;
  };
  for (const node of graph.keys()) if (!order.has(node)) visit(node);
  return found;
}

/** One way round within a cycle's members, as a person follows it. */
function wayRound(members: readonly string[], graph: ReadonlyMap<string, readonly string[]>): string {
  const [start = ""] = members;
  const ways: string[][] = [[start]];
  const seen = new Set<string>();
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    for (const next of graph.get(way.at(-1) ?? "") ?? []) {
      if (next === start) return [...way, start].join(" -> ");
      if (!members.includes(next) || seen.has(next)) continue;
      seen.add(next);
      ways.push([...way, next]);
    }
  }
  return members.join(", ");
}

describe("the architecture", () => {
  for (const room of Object.keys(ROOMS)) {
    it(`lets ${room} import only the rooms of its row`, () => {
      const places = allowed(room);
      const wrong = files
        .filter((file) => roomOf(file) === room)
        .flatMap((file) => (imports.get(file) ?? []).map((imported) => [file, imported] as const))
        .filter(([, imported]) => !places.has(roomOf(imported) ?? ""));
      expect(wrong.map(([file, imported]) => `${file} imports ${imported}`).join("\n")).to.equal("");
    });
  }

  it("has a rule for every file, and a file for every rule", () => {
    expect(files.filter((file) => roomOf(file) === undefined)).to.deep.equal([]);
    const used = new Set([...files, ...[...imports.values()].flat()].map(roomOf));
    expect(Object.keys(ROOMS).filter((room) => !used.has(room))).to.deep.equal([]);
  });

  it("names whole rooms in its rules, never a file within one", () => {
    const named = new Set(Object.values(ROOMS).flat());
    const known = (entry: string) => entry in ROOMS || entry.endsWith("/**");
    expect([...named].filter((entry) => !known(entry))).to.deep.equal([]);
  });

  it("knows every file that is imported", () => {
    for (const [file, imported] of imports) {
      for (const target of imported)
        expect(files.includes(target) || target === "package.json", `${file} imports ${target}`).to.equal(true);
    }
  });

  it("has no cycle of files, types included", () => {
    expect(
      cycles(imports)
        .map((members) => wayRound(members, imports))
        .join("\n"),
    ).to.equal("");
  });

  it("is written from the ground up: a row names rows above it", () => {
    const rows = Object.keys(ROOMS);
    const up = rows.flatMap((room, row) =>
      [...allowed(room)].filter((each) => rows.indexOf(each) > row).map((each) => `${room} -> ${each}`),
    );
    expect(up.join("\n")).to.equal("");
  });

  it("is as ARCHITECTURE.md tells it: a room that a row there names may be imported", () => {
    const page = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");
    const roomsIn = (cell: string, top: string) =>
      [...cell.matchAll(/`([^`]+?)\/?`/g)].flatMap(
        ([, path = ""]) => [path, `${top}/${path}`].find((room) => room in ROOMS) ?? [],
      );
    const told = [...page.matchAll(/^\| (`.+?) \| (.+) \|$/gm)].flatMap(([, of = "", may = ""]) =>
      /^(?:nothing|none|everything)|row above/.test(may)
        ? []
        : roomsIn(of, "").flatMap((room) =>
            roomsIn(may.replaceAll(/\(.*?\)|\bof `\S+`/g, ""), room.split("/")[0] ?? "").map(
              (imported) => [room, imported] as const,
            ),
          ),
    );
    expect(told.length).to.be.greaterThan(60);
    // A file may have a row of its own there.
    const within = (room: string) => Object.keys(ROOMS).filter((each) => each === room || each.startsWith(`${room}/`));
    const untrue = told.filter(([room, imported]) => !within(room).some((each) => allowed(each).has(imported)));
    expect(untrue.map(([room, imported]) => `${room} -> ${imported}`)).to.deep.equal([]);
  });

  it("has no file of the program with more than 250 lines", () => {
    const long = [...texts]
      .filter(([file]) => !file.startsWith("test/"))
      .map(([file, text]) => [file, text.split("\n").length - 1] as const)
      .filter(([, lines]) => lines > 250);
    expect(long).to.deep.equal([]);
  });

  it("has every test in test/: a release takes all that is code in signer/ and machine/", () => {
    expect(files.filter((file) => file.endsWith(".test.ts") && !file.startsWith("test/"))).to.deep.equal([]);
  });

  it("lets no file import a test", () => {
    const wrong = [...imports].flatMap(([file, imported]) =>
      imported.filter((target) => target.endsWith(".test.ts")).map((target) => `${file} imports ${target}`),
    );
    expect(wrong.join("\n")).to.equal("");
  });
});

describe("packages", () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<string, object>;

  it("serve signer/ and machine/ only from Node itself and the run-time tree", () => {
    const parts = (name: string) => name.split("/", name.startsWith("@") ? 2 : 1).join("/");
    const foreign = files
      .filter((file) => /^(signer|machine)\//.test(file))
      .flatMap((file) => specifiersOf(texts.get(file) ?? "").map((name) => [file, name] as const))
      .filter(
        ([, name]) =>
          !name.startsWith(".") && !name.startsWith("node:") && !Object.hasOwn(dependencies ?? {}, parts(name)),
      );
    expect(foreign.map(([file, name]) => `${file} imports ${name}`).join("\n")).to.equal("");
  });

  it("let one test of signatures use elliptic, and nothing else", () => {
    const users = [...texts]
      .filter(([, text]) => /(from |import |\()["'`]elliptic["'`/]/.test(text))
      .map(([file]) => file);
    expect(users).to.deep.equal(["test/signer/tezos/crypto/elliptic.test.ts"]);
  });
});

describe("the search for cycles", () => {
  it("finds each cycle once and shows a way round, and finds none in a diamond", () => {
    const graph = new Map([
      ["a", ["b", "c"]],
      ["b", ["d"]],
      ["c", ["d"]],
      ["d", []],
      ["e", ["f"]],
      ["f", ["g", "a"]],
      ["g", ["e"]],
      ["h", ["h"]],
    ]);
    expect(cycles(graph).map((members) => wayRound(members, graph))).to.deep.equal(["e -> f -> g -> e", "h -> h"]);
  });
});
