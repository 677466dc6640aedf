import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";

interface Package {
  readonly version: string;
  readonly dev?: boolean;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
}

const root = resolve(import.meta.dirname, "..");
const read = (name: string) => JSON.parse(readFileSync(resolve(root, name), "utf8"));
const locked = Object.entries(read("package-lock.json").packages as Record<string, Package>).filter(
  ([path]) => path !== "",
);
const atRunTime = locked.filter(([, { dev }]) => dev !== true);

describe("the run-time tree", () => {
  it("has no elliptic, whose advisory has no fix", () => {
    expect(atRunTime.map(([path]) => path).filter((path) => path.endsWith("/elliptic"))).to.deep.equal([]);
  });

  it("runs no script at installation", () => {
    expect(atRunTime.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path)).to.deep.equal([]);
  });

  it("is locked by an integrity hash for every package, and by no address", () => {
    for (const [path, entry] of locked) {
      expect(entry, path).to.have.property("integrity");
      expect(entry, path).not.to.have.property("resolved");
    }
  });

  it("is asked for in exact versions", () => {
    const { dependencies, devDependencies } = read("package.json") as Record<string, Record<string, string>>;
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      expect(version, name).to.match(/^\d+\.\d+\.\d+$/);
    }
  });
});
