import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "chai";

const FORGETFUL = `
it("forgets one", async () => {
  void Promise.reject(new Error("forgotten"));
  await new Promise(setImmediate);
});
`;

describe("a promise that nobody handles", () => {
  it("fails the test in which it is rejected, as it would end a signer", () => {
    const folder = mkdtempSync(join(tmpdir(), "unhandled-"));
    const file = join(folder, "forgetful.mjs");
    writeFileSync(file, FORGETFUL);
    const { stdout, status } = spawnSync("mocha", [file], {
      cwd: resolve(import.meta.dirname, "../.."),
      encoding: "utf8",
    });
    rmSync(folder, { recursive: true });
    expect(stdout).to.include("Uncaught Error: forgotten");
    expect(status).not.to.equal(0);
  });
});
