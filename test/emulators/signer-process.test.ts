import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { startSignerProcess, temporaryFolder } from "./signer-process.ts";

/** A program that says what `serve` says, and waits. */
const LISTENS = `
process.on("SIGTERM", () => process.exit(3));
console.error("a word that is no line of the log");
console.error(JSON.stringify({ msg: "listening", url: "http://127.0.0.1:1", admin: "http://127.0.0.1:2", keys: ["tz3"] }));
console.log("Key\\nSettings " + process.argv.slice(2).join(" "));
setInterval(() => undefined, 1000);
`;

describe("a signer in a process of its own", () => {
  it("is ready once it listens, and tells its ports, keys, log and output", async () => {
    await using folder = await temporaryFolder();
    const entry = join(folder.path, "signer.mjs");
    await writeFile(entry, LISTENS);
    await using signer = await startSignerProcess(folder.path, ["--config", "x"], {}, entry);
    expect(signer).to.deep.include({ url: "http://127.0.0.1:1", adminUrl: "http://127.0.0.1:2", addresses: ["tz3"] });
    expect(signer.output()).to.contain("Settings serve --config x");
    expect(signer.log.map(({ msg }) => msg)).to.deep.equal(["listening"]);
    expect(await signer.end("SIGTERM")).to.equal(3);
  });

  it("ends with its scope", async () => {
    await using folder = await temporaryFolder();
    const entry = join(folder.path, "signer.mjs");
    await writeFile(entry, LISTENS);
    const signer = await startSignerProcess(folder.path, [], {}, entry);
    await signer[Symbol.asyncDispose]();
    expect(signer.child.signalCode).to.equal("SIGKILL");
  });

  it("fails with its exit code and its words where it ends before it listens", async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, "empty"));
    const failure = await startSignerProcess(join(folder.path, "empty"), ["--config", "none.yaml"]).catch(
      (error: Error) => error.message,
    );
    expect(failure).to.match(/^exit 4: The settings cannot be read:.*none\.yaml/s);
  });

  it("has a folder that goes with its scope", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder.path, "file"), "");
    await folder[Symbol.asyncDispose]();
    const there = await stat(folder.path).then(
      () => true,
      () => false,
    );
    expect(there).to.equal(false);
  });
});
