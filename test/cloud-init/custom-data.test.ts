import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { parse } from "yaml";
import { customData, SIZE_LIMIT } from "../../cloud-init/custom-data.ts";
import { hasProgram } from "../emulators/has-program.ts";
import { requires } from "../harness/requires.ts";

const root = new URL("../../", import.meta.url).pathname;
const written: { path: string; permissions: string; content: string }[] = parse(customData()).write_files;

describe("customData", () => {
  it("is plain text of less than half of what Azure takes", () => {
    const text = customData();
    expect(text.startsWith("#cloud-config\n")).to.equal(true);
    expect(text).to.match(/^[\x20-\x7e\n]*$/);
    console.log(`      customData: ${text.length} bytes of at most ${SIZE_LIMIT}`);
    expect(text.length).to.be.below(65_535 / 2);
  });

  it("holds the bootstrap alone, each file as it is in the checkout", () => {
    const from: Record<string, string> = {
      "/etc/systemd/system/tezos-signer-bootstrap.service":
        "cloud-init/files/etc/systemd/system/tezos-signer-bootstrap.service",
      "/usr/local/lib/tezos-signer/fetch-release": "machine/bin/fetch-release",
      "/usr/local/sbin/tezos-signer-bootstrap": "cloud-init/files/usr/local/sbin/tezos-signer-bootstrap",
    };
    expect(written.map(({ path }) => path)).to.deep.equal(Object.keys(from));
    for (const { path, content, permissions } of written) {
      expect(content, path).to.equal(readFileSync(join(root, from[path] ?? ""), "utf8"));
      expect(permissions, path).to.equal(path.startsWith("/usr/") ? "0755" : "0644");
    }
  });

  it("names nothing that changes in ordinary use: no version, no hash, no setting", () => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(customData()).not.to.include(version);
    expect(customData()).not.to.match(/\b[0-9a-f]{40,}\b/);
  });

  it("lets nobody in by a password or as root, upgrades nothing before the signer runs, and starts the bootstrap at once", () => {
    const { write_files: _, swap, ...config } = parse(customData());
    expect(config).to.deep.equal({
      ssh_pwauth: false,
      disable_root: true,
      ssh_genkeytypes: ["ed25519", "rsa"],
      package_update: false,
      package_upgrade: false,
      runcmd: [["systemctl", "enable", "--now", "--no-block", "tezos-signer-bootstrap.service"]],
    });
    expect(swap).to.deep.equal({ filename: "/swapfile", size: 2 ** 30 });
  });

  it("is a cloud-config that cloud-init's own schema takes", function () {
    requires(this, hasProgram("cloud-init"), "cloud-init is not installed");
    const folder = mkdtempSync(join(tmpdir(), "custom-data-"));
    try {
      writeFileSync(join(folder, "config"), customData());
      const { stdout, stderr, status } = spawnSync("cloud-init", ["schema", "--config-file", join(folder, "config")], {
        encoding: "utf8",
      });
      expect(status, stdout + stderr).to.equal(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
