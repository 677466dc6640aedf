import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { expect } from "chai";
import type { Run } from "../../machine/updater/command.ts";
import { Compiled } from "../../machine/updater/compiled.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const SERVICE = "machine/files/etc/systemd/system/tezos-signer.service";
const FILES = {
  "package.json": '{ "type": "module" }',
  "signer/tezos-signer.js": 'const { two } = await import("./one.ts"); console.log(two);',
  "signer/one.ts": 'export { two } from "./below/two.ts";',
  "signer/below/two.ts": 'export const two: string = "started";',
};

/** Thrown in the middle of the work: nothing after it happens. */
class Killed extends Error {}

describe("what is compiled of a release in advance", () => {
  let root: string;
  let place: string;
  /** What systemd-run was asked for, one entry a time. */
  let asked: (readonly string[])[];
  /** Told each program before it is run. */
  let before: (program: string) => void;
  /** Done once the modules are compiled, by the user who compiles them. */
  let afterwards: (output: string) => void;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "compiled-"));
    place = join(root, "opt/releases/ab");
    asked = [];
    before = () => undefined;
    afterwards = () => undefined;
    // The unit's own flags, for folders below `root`; the updater lies in a release too.
    const unit = readFileSync(join(ROOT, SERVICE), "utf8")
      .replaceAll("/opt/tezos-signer/current", place)
      .replaceAll("/opt/tezos-signer ", `${root}/opt --allow-fs-read=${ROOT} `);
    for (const [path, text] of Object.entries({ ...FILES, [SERVICE]: unit })) write(path, text);
    mkdirSync(join(place, "node/bin"), { recursive: true });
    symlinkSync(process.execPath, join(place, "node/bin/node"));
  });

  afterEach(() => rmSync(root, { recursive: true }));

  function write(path: string, text: string): void {
    mkdirSync(dirname(join(place, path)), { recursive: true });
    writeFileSync(join(place, path), text);
  }

  /** Runs programs; in systemd's place what it would run, and this test's user is the service's. */
  const run: Run = (program, ...args) => {
    before(program);
    if (program === "systemctl") return { status: 5, output: "not loaded" };
    if (program === "id") return { status: 0, output: String(process.getuid?.()) };
    if (program !== "systemd-run") return ended(spawnSync(program, args, { encoding: "utf8" }));
    asked.push(args);
    const properties = args.flatMap((arg) => /^--property=(.*)$/.exec(arg)?.[1] ?? []);
    const value = (name: string) => properties.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
    const [, compiled = ""] = value("Environment")?.split("=") ?? [];
    mkdirSync(compiled, { recursive: true });
    const [node = "", ...rest] = args.slice(args.findLastIndex((arg) => arg.startsWith("--property=")) + 1);
    const env = { PATH: process.env.PATH, NODE_COMPILE_CACHE: compiled };
    const end = ended(spawnSync(node, rest, { cwd: value("WorkingDirectory"), env, encoding: "utf8" }));
    // Its user is not this test's, who is the service's.
    for (const name of readdirSync(compiled)) {
      renameSync(join(compiled, name), join(compiled, name.replace(/\d+$/, "64527")));
    }
    afterwards(compiled);
    return end;
  };

  const make = () => new Compiled(run, join(root, "run")).make(place);
  const folder = () => join(place, "compiled");
  const users = () => readdirSync(folder()).filter((name) => name !== "made-for");
  const kept = () =>
    users().flatMap((name) => readdirSync(join(folder(), name)).map((each) => join(folder(), name, each)));

  /** A start of the signer under the unit's flags. @returns what it printed, and which modules were compiled in advance */
  function start(): { readonly printed: string; readonly taken: readonly string[] } {
    const unit = readFileSync(join(place, SERVICE), "utf8");
    const [, node = "", flags = ""] = /^ExecStart=(\S+) (.*) serve --user-data$/m.exec(unit) ?? [];
    const [, compiled = ""] = /^Environment=NODE_COMPILE_CACHE=(.*)$/m.exec(unit) ?? [];
    const env = { PATH: process.env.PATH, NODE_COMPILE_CACHE: compiled, NODE_DEBUG_NATIVE: "COMPILE_CACHE" };
    const { stdout, stderr } = spawnSync(node, flags.split(" "), { cwd: place, env, encoding: "utf8" });
    const taken = [...stderr.matchAll(/code cache for ESM file:\/\/(\S+\.ts) was accepted/g)].map(
      ([, path = ""]) => path,
    );
    return { printed: stdout.replaceAll(/^\[compile cache\].*\n/gm, "").trim(), taken: taken.sort() };
  }

  const modules = () => ["signer/below/two.ts", "signer/one.ts"].map((path) => join(place, path));

  it("is taken by a start under the service's flags", () => {
    expect(make()).to.equal(undefined);
    expect(start()).to.deep.equal({ printed: "started", taken: modules() });
  });

  it("is made by a passing user without a network, who may write nothing but the result and ends in time", () => {
    expect(make()).to.equal(undefined);
    const [args = []] = asked;
    expect(args).to.include.members(
      [
        ...["DynamicUser=yes", "PrivateNetwork=yes", "ProtectSystem=strict", "ProtectHome=yes", "NoNewPrivileges=yes"],
        ...["CapabilityBoundingSet=", "RuntimeMaxSec=120", "MemoryMax=320M", "MemorySwapMax=0", "CPUWeight=10"],
      ].map((property) => `--property=${property}`),
    );
    expect(
      args.filter((arg) => /=(User|ReadWritePaths|BindPaths|StateDirectory|SupplementaryGroups)=/.test(arg)),
    ).to.deep.equal([]);
    expect(existsSync(join(root, "run/tezos-signer-compile")), "what it leaves").to.equal(false);
  });

  it("is made once, and anew for another Node.js or another processor", () => {
    make();
    make();
    expect(asked).to.have.length(1);
    writeFileSync(join(folder(), "made-for"), "v24.0.0 x64 123");
    expect(start().printed).to.equal("started");
    make();
    expect(asked).to.have.length(2);
    expect(start().taken).to.deep.equal(modules());
  });

  it("leaves no right to write to anybody but its owner", () => {
    make();
    for (const path of [folder(), ...users().map((name) => join(folder(), name)), ...kept()]) {
      expect(statSync(path).mode & 0o022, path).to.equal(0);
    }
  });

  it("holds plain files with the names that Node.js gives, whatever else its maker leaves", () => {
    afterwards = (output) => {
      const [name = ""] = readdirSync(output);
      symlinkSync("/etc/passwd", join(output, name, "0123abcd"));
      writeFileSync(join(output, name, "more.sh"), "");
      mkdirSync(join(output, name, "89abcdef"));
    };
    expect(make()).to.equal(undefined);
    expect(
      kept().filter((path) => !statSync(path).isFile() || /(0123abcd|89abcdef|more\.sh)$/.test(path)),
    ).to.deep.equal([]);
    expect(start().taken).to.deep.equal(modules());
  });

  describe("is no part of what a start needs:", () => {
    const each = (damage: (path: string) => void) => () => {
      for (const path of kept()) damage(path);
    };
    const damages: readonly [name: string, damage: () => void][] = [
      ["absent", () => rmSync(folder(), { recursive: true })],
      [
        "a file in the place of its folder",
        () => {
          rmSync(folder(), { recursive: true });
          writeFileSync(folder(), "");
        },
      ],
      [
        "another Node.js'",
        () => {
          for (const name of users()) renameSync(join(folder(), name), join(folder(), name.replace("v24", "v23")));
        },
      ],
      ["empty files", each((path) => truncateSync(path, 0))],
      ["files cut short", each((path) => truncateSync(path, statSync(path).size - 40))],
      ["files of zeros", each((path) => writeFileSync(path, Buffer.alloc(statSync(path).size)))],
      ["a bit flipped in each", each((path) => writeFileSync(path, flipped(readFileSync(path))))],
      [
        "folders in the place of its files",
        each((path) => {
          rmSync(path);
          mkdirSync(path);
        }),
      ],
      [
        "of modules that have changed since",
        () => write("signer/below/two.ts", 'export const two: string = "started ";'),
      ],
    ];
    for (const [name, damage] of damages) {
      it(name, () => {
        make();
        damage();
        const { printed, taken } = start();
        expect(printed).to.equal("started");
        expect(taken).not.to.include(join(place, "signer/below/two.ts"));
      });
    }
  });

  it("is whole or not there, wherever its maker is killed, and is made the next time", () => {
    const points: string[] = [];
    before = (program) => points.push(program);
    make();
    expect(points).to.include.members(["systemctl", "systemd-run", "id", "sync"]);
    for (const index of points.keys()) {
      rmSync(folder(), { recursive: true, force: true });
      let seen = 0;
      before = () => {
        if (seen++ >= index) throw new Killed(points[index]);
      };
      expect(make).to.throw(Killed);
      before = () => undefined;
      const whole = existsSync(folder());
      expect(start(), `${index}`).to.deep.equal({ printed: "started", taken: whole ? modules() : [] });
      expect(make(), `${index}`).to.equal(undefined);
      expect(start().taken, `${index}`).to.deep.equal(modules());
    }
  });

  it("is not there, and why is told, where a module cannot be loaded or Node.js does not start", () => {
    write("signer/three.ts", "const = ;\n");
    expect(make()).to.match(/SyntaxError|Unexpected token/);
    expect(existsSync(folder())).to.equal(false);
    rmSync(join(place, "node/bin/node"));
    expect(make()).to.match(/ENOENT/);
  });
});

function flipped(bytes: Buffer): Buffer {
  const at = bytes.length >> 1;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
}

function ended({ status, stdout, stderr, error }: ReturnType<typeof spawnSync>) {
  return { status, output: `${stdout ?? ""}${stderr ?? ""}${error === undefined ? "" : error.message}`.trim() };
}
