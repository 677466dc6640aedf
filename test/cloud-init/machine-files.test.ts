import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { parse } from "yaml";
import { readCheckout } from "../../cloud-init/checkout.ts";
import { cloudConfig } from "../../cloud-init/user-data.ts";
import { hasProgram, requires } from "../support/requires.ts";

const root = new URL("../../", import.meta.url).pathname;

/** What an attacker who runs code as the signer would still have, on systemd's scale from 0 (nothing) to 10. */
const HIGHEST_EXPOSURE = 1.5;
const TOOLS = "usr/local/lib/tezos-signer";

describe("the machine's files", () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "machine-files-"));
    const config = parse(cloudConfig(readCheckout(root), { ssh: true, maintenance: "04:30" }));
    for (const { path, content, permissions, encoding } of config.write_files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), Buffer.from(content, encoding === "b64" ? "base64" : "utf8"), {
        mode: Number.parseInt(permissions, 8),
      });
    }
  });

  after(() => rmSync(folder, { recursive: true }));

  it("start a signer that has all it needs", () => {
    const unpack = [join(folder, TOOLS, "unpack.mjs"), join(folder, TOOLS, "signer.br")];
    execFileSync(process.execPath, [...unpack, join(folder, "opt/tezos-signer")]);
    symlinkSync(join(root, "node_modules"), join(folder, "opt/tezos-signer/node_modules"));
    const run = spawnSync(process.execPath, [
      join(folder, "opt/tezos-signer/signer/tezos-signer.js"),
      "serve",
      "--help",
    ]);
    expect(run.stderr.toString()).to.equal("");
    expect(run.stdout.toString()).to.include("tezos-signer serve");
  });

  it(`leave the service an exposure of at most ${HIGHEST_EXPOSURE} by systemd's own count`, function () {
    requires(this, hasProgram("systemd-analyze"), "systemd-analyze is not installed");
    const unit = join(folder, "etc/systemd/system/tezos-signer.service");
    const said = execFileSync("systemd-analyze", ["security", "--offline=true", "--no-pager", unit]).toString();
    const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(said)?.[1]);
    console.log(`      exposure of tezos-signer.service: ${exposure}`);
    expect(exposure).to.be.at.most(HIGHEST_EXPOSURE);
  });

  it("are units that systemd accepts", function () {
    requires(this, hasProgram("systemd-analyze"), "systemd-analyze is not installed");
    const units = join(folder, "etc/systemd/system");
    const names = ["", "-install", "-packages", "-announce", "-firewall"].map(
      (part) => `${units}/tezos-signer${part}.service`,
    );
    const said = spawnSync("systemd-analyze", ["verify", "--man=no", ...names]).stderr.toString();
    const faults = said.split("\n").filter((line) => line.includes(units) && !/is not executable|not found/.test(line));
    expect(faults).to.deep.equal([]);
  });

  it("are firewall rules that nft accepts", function () {
    requires(this, hasProgram("nft") && process.getuid?.() === 0, "nft is not installed, or this is not root");
    // nft looks names up, and the user is made on the machine only.
    const rules = readFileSync(join(folder, "etc/tezos-signer/firewall.nft"), "utf8");
    const input = rules.replaceAll("root, tezos-signer", "0, 999");
    const check = spawnSync("unshare", ["--net", "nft", "--check", "--file", "-"], { input });
    expect(check.stderr.toString()).to.equal("");
  });
});
