import { readFileSync } from "node:fs";
import { expect } from "chai";
import { type ProductionLock, productionLock, productionPackage } from "../../release/lock.ts";
import { namedArchives } from "../../release/manifest.ts";
import { archiveName, type Pin, sha512Hex } from "../../release/pin.ts";

const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");

const INTEGRITY = `sha512-${"A".repeat(86)}==`;

/** A lockfile with these packages; each gets a version and a hash. */
function lockOf(root: object, packages: Record<string, object>, lockfileVersion = 3): string {
  const entries = Object.entries(packages).map(([path, fields]) => [
    path,
    { version: "1.0.0", integrity: INTEGRITY, ...fields },
  ]);
  return JSON.stringify({
    name: "x",
    version: "0.0.1",
    lockfileVersion,
    packages: { "": root, ...Object.fromEntries(entries) },
  });
}

const foldersOf = ({ packages }: ProductionLock) => packages.map(({ folder }) => folder);

describe("the package files of a release", () => {
  it("have the run-time dependencies, and neither scripts nor development dependencies", () => {
    const whole = JSON.parse(read("package.json"));
    const reduced = JSON.parse(productionPackage(read("package.json")).text);
    expect(reduced.dependencies).to.deep.equal(whole.dependencies);
    expect(Object.keys(reduced)).to.deep.equal([
      "name",
      "version",
      "license",
      "private",
      "type",
      "engines",
      "dependencies",
    ]);
  });

  it("refuse a package.json whose version is no version", () => {
    expect(() => productionPackage('{"version":"1.x"}')).to.throw("package.json: version 1.x is not of the form 1.2.3");
  });

  it("lock exactly the packages that npm does not mark as for development", () => {
    const packages: Record<string, { dev?: boolean }> = JSON.parse(read("package-lock.json")).packages;
    const expected = Object.entries(packages).filter(([path, entry]) => path !== "" && entry.dev !== true);
    expect(foldersOf(productionLock(read("package-lock.json")))).to.deep.equal(expected.map(([path]) => path).sort());
  });

  it("are the same beside a development dependency, but for one for which npm moves a run-time package", () => {
    const root = { dependencies: { a: "1.0.0" }, devDependencies: { z: "1.0.0" } };
    const a = { dependencies: { b: "^2.0.0" } };
    const alone = productionLock(lockOf(root, { "node_modules/a": a, "node_modules/b": {} })).text;
    const beside = lockOf(root, { "node_modules/a": a, "node_modules/b": {}, "node_modules/z": { dev: true } });
    expect(productionLock(beside).text).to.equal(alone);
    const moved = { "node_modules/a": a, "node_modules/a/node_modules/b": {}, "node_modules/b": { dev: true } };
    expect(productionLock(lockOf(root, moved)).text).not.to.equal(alone);
  });

  it("keep each package's version and hash, and name no address", () => {
    const whole = JSON.parse(read("package-lock.json")).packages;
    const { text, packages } = productionLock(read("package-lock.json"));
    for (const { folder, version, integrity } of packages) {
      expect(whole[folder]).to.include({ version, integrity });
      expect(JSON.parse(text).packages[folder]).to.include({ version, integrity });
    }
    expect(text).to.not.match(/resolved|https?:/);
  });

  it("take the nearest copy of a package, as Node does", () => {
    const lock = lockOf(
      { dependencies: { a: "1" }, devDependencies: { z: "1" } },
      {
        "node_modules/a": { dependencies: { "@s/b": "2" } },
        "node_modules/a/node_modules/@s/b": { version: "2.0.0", dependencies: { c: "1" } },
        "node_modules/@s/b": {},
        "node_modules/c": {},
        "node_modules/z": {},
      },
    );
    expect(foldersOf(productionLock(lock))).to.deep.equal([
      "node_modules/a",
      "node_modules/a/node_modules/@s/b",
      "node_modules/c",
    ]);
  });

  it("do without optional packages that the lock lacks", () => {
    const entry = {
      dependencies: { b: "1" }, // npm lists an optional dependency here as well
      optionalDependencies: { b: "1" },
      peerDependencies: { c: "1" },
      peerDependenciesMeta: { c: { optional: true } },
    };
    const lock = productionLock(lockOf({ dependencies: { a: "1" } }, { "node_modules/a": entry }));
    expect(foldersOf(lock)).to.deep.equal(["node_modules/a"]);
  });

  it("know a package that stands under another name by its own", () => {
    const [found] = productionLock(
      lockOf({ dependencies: { a: "1" } }, { "node_modules/a": { name: "@s/real" } }),
    ).packages;
    expect(found).to.include({ name: "@s/real", folder: "node_modules/a" });
  });

  it("say nothing of what only development needs", () => {
    const dev = { "node_modules/z": { resolved: "git+ssh://git@example.org/z.git#1", integrity: undefined } };
    const lock = lockOf({ dependencies: { a: "1" }, devDependencies: { z: "1" } }, { "node_modules/a": {}, ...dev });
    expect(foldersOf(productionLock(lock))).to.deep.equal(["node_modules/a"]);
  });

  it("refuse a lock that lacks a needed package", () => {
    const lock = lockOf({ dependencies: { a: "1" } }, {});
    expect(() => productionLock(lock)).to.throw(
      "package-lock.json lacks a, which package.json needs: bring it up to date with npm install",
    );
  });

  it("refuse a lock of another form", () => {
    expect(() => productionLock(lockOf({}, {}, 2))).to.throw("lockfileVersion 2, and 3 is read: write it anew");
    expect(() => productionLock('{"lockfileVersion":3,"packages":{}}')).to.throw("has no root package: write it anew");
  });

  const refused: Record<string, [fields: object, reason: string, cure: string]> = {
    "without a hash": [{ integrity: undefined }, "has no sha512 integrity", "write the lock anew"],
    "with a weak hash": [
      { integrity: "sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA=" },
      "has no sha512 integrity",
      "write the lock",
    ],
    "with a hash cut short": [{ integrity: "sha512-AA==" }, "has no sha512 integrity", "write the lock anew"],
    "from git": [{ resolved: "git+ssh://git@example.org/a.git#1" }, "is fetched by git", "from the registry"],
    "from a git host's short form": [{ resolved: "github:o/a#1" }, "is fetched by git", "from the registry"],
    "from a git address over https": [{ resolved: "https://example.org/a.git#1" }, "by git", "from the registry"],
    "from a file": [{ resolved: "file:../a.tgz" }, "is a file of this computer", "from the registry"],
    "from an address": [{ resolved: "https://example.org/a.tgz" }, "names an address", "write the lock anew"],
    "that is a link": [{ resolved: "../a", link: true }, "is a link to a folder", "from the registry"],
    "with a range": [{ version: "^1.0.0" }, "has the version ^1.0.0", "write the lock anew"],
    "without a version": [{ version: undefined }, "has the version undefined", "write the lock anew"],
    "for some systems": [{ os: ["linux"] }, "is for some machines only", "do without it"],
    "for some processors": [{ cpu: ["x64"] }, "is for some machines only", "do without it"],
    "for some C libraries": [{ libc: ["glibc"] }, "is for some machines only", "do without it"],
    "with a name that npm would take for an option": [{ name: "--registry" }, "has no name that", "from the registry"],
  };
  for (const [which, [fields, reason, cure]] of Object.entries(refused)) {
    it(`refuse a package ${which}, by name, reason and cure`, () => {
      const lock = lockOf({ dependencies: { a: "1" } }, { "node_modules/a": fields });
      expect(() => productionLock(lock))
        .to.throw(/^package-lock\.json: node_modules\/a /)
        .with.property("message")
        .that.includes(reason)
        .and.includes(cure);
    });
  }

  it("refuse a package whose folder would lie elsewhere", () => {
    const lock = lockOf({ dependencies: { "../../etc": "1" } }, { "node_modules/../../etc": {} });
    expect(() => productionLock(lock)).to.throw("has no name that the registry allows");
  });
});

describe("a pin", () => {
  it("names the archive as npm pack does", () => {
    const at = { version: "4.14.1", integrity: INTEGRITY };
    expect(archiveName({ name: "@azure/identity", ...at })).to.equal("azure-identity-4.14.1.tgz");
    expect(archiveName({ name: "koa", ...at })).to.equal("koa-4.14.1.tgz");
  });

  it("gives its hash in hex", () => {
    expect(sha512Hex({ name: "a", version: "1.0.0", integrity: INTEGRITY })).to.equal("0".repeat(128));
  });

  it("is refused beside another package whose archive would have its name", () => {
    const [one, other] = ["@a/b", "a-b"].map((name) => ({ name, version: "1.0.0", integrity: INTEGRITY }));
    const changed = { name: "a-b", version: "1.0.0", integrity: INTEGRITY.replace("sha512-A", "sha512-B") };
    expect([...namedArchives([one, other] as Pin[]).keys()]).to.deep.equal(["a-b-1.0.0.tgz"]);
    expect(() => namedArchives([one, changed] as Pin[])).to.throw(
      "@a/b and a-b are two packages, both named a-b-1.0.0.tgz",
    );
  });
});
