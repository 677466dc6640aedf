import { readFileSync } from "node:fs";
import { expect } from "chai";
import { NODE_RELEASE } from "../../cloud-init/node-release.ts";

describe("Node.js of the machine", () => {
  it("has the version that the tests run on", () => {
    const { devDependencies } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    expect(NODE_RELEASE.version).to.equal(devDependencies.node);
  });

  it("is pinned by two SHA-256 hashes that differ", () => {
    const { x64, arm64 } = NODE_RELEASE.sha256;
    expect(x64)
      .to.match(/^[0-9a-f]{64}$/)
      .and.to.not.equal(arm64);
    expect(arm64).to.match(/^[0-9a-f]{64}$/);
  });
});
