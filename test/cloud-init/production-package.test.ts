import { readFileSync } from "node:fs";
import { expect } from "chai";
import { type ProductionLock, productionLock, productionPackage } from "../../cloud-init/production-package.ts";

const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");

/** A lockfile with these packages; each gets a version and a hash. */
function lockOf(root: object, packages: Record<string, object>): string {
  const entries = Object.entries(packages).map(([path, fields]) => [
    path,
    { version: "1.0.0", integrity: "sha512-AA==", ...fields },
  ]);
  return JSON.stringify({
    name: "x",
    version: "0.0.1",
    lockfileVersion: 3,
    packages: { "": root, ...Object.fromEntries(entries) },
  });
}

const pathsOf = ({ text }: ProductionLock) => Object.keys(JSON.parse(text).packages).filter((path) => path !== "");

describe("production package", () => {
  it("has the run-time dependencies, and neither scripts nor development dependencies", () => {
    const whole = JSON.parse(read("package.json"));
    const reduced = JSON.parse(productionPackage(read("package.json")));
    expect(reduced.dependencies).to.deep.equal(whole.dependencies);
    expect(reduced).to.have.property("type", "module");
    expect(reduced).to.not.have.any.keys("scripts", "devDependencies", "main");
  });

  it("locks exactly the packages that npm does not mark as for development", () => {
    const packages: Record<string, { dev?: boolean }> = JSON.parse(read("package-lock.json")).packages;
    const expected = Object.entries(packages).filter(([path, entry]) => path !== "" && entry.dev !== true);
    expect(pathsOf(productionLock(read("package-lock.json")))).to.deep.equal(expected.map(([path]) => path).sort());
  });

  it("keeps each package's version, and no hash but the one over all", () => {
    const whole = JSON.parse(read("package-lock.json")).packages;
    const { text, digest } = productionLock(read("package-lock.json"));
    const reduced = JSON.parse(text).packages;
    for (const path of pathsOf({ text, digest })) expect(reduced[path].version).to.equal(whole[path].version);
    expect(text).to.not.include("sha512");
    expect(digest).to.match(/^[0-9a-f]{64}$/);
  });

  it("changes its digest with any package's hash or version", () => {
    const digest = (fields: object) =>
      productionLock(lockOf({ dependencies: { a: "1" } }, { "node_modules/a": fields })).digest;
    const all = new Set([digest({}), digest({ integrity: "sha512-BB==" }), digest({ version: "1.0.1" })]);
    expect(all.size).to.equal(3);
  });

  it("refuses a package that npm would leave out on some machines", () => {
    const lock = lockOf({ dependencies: { a: "1" } }, { "node_modules/a": { os: ["linux"] } });
    expect(() => productionLock(lock)).to.throw("node_modules/a is for some machines only");
  });

  it("takes the nearest copy of a package, as Node does", () => {
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
    expect(pathsOf(productionLock(lock))).to.deep.equal([
      "node_modules/a",
      "node_modules/a/node_modules/@s/b",
      "node_modules/c",
    ]);
  });

  it("does without optional packages that the lock lacks", () => {
    const root = { dependencies: { a: "1" } };
    const entry = {
      optionalDependencies: { b: "1" },
      peerDependencies: { c: "1" },
      peerDependenciesMeta: { c: { optional: true } },
    };
    expect(pathsOf(productionLock(lockOf(root, { "node_modules/a": entry })))).to.deep.equal(["node_modules/a"]);
  });

  it("refuses a package without an integrity hash", () => {
    const lock = lockOf({ dependencies: { a: "1" } }, { "node_modules/a": { integrity: undefined } });
    expect(() => productionLock(lock)).to.throw("no integrity hash for node_modules/a");
  });

  it("refuses a lock that lacks a needed package", () => {
    expect(() => productionLock(lockOf({ dependencies: { a: "1" } }, {}))).to.throw(
      "lacks a, which package.json needs",
    );
  });
});
