import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { signerSettings } from "../../infra/config/signer-settings.ts";
import { userData } from "../../infra/user-data.ts";
import { userDataUrl } from "../../signer/azure/user-data.ts";
import { readUserDataDocument } from "../../signer/azure/user-data-document.ts";
import {
  ADMIN_PORT,
  CONFIRMATION_SOCKET,
  METRICS_FOLDER,
  METRICS_PORT,
  SIGNER_PORT,
  STATE_FOLDER,
  UPDATER_FOLDER,
  UPDATER_LOCK,
} from "../../signer/contract.ts";
import { settings } from "../fixtures/stack-configs.ts";

const root = resolve(import.meta.dirname, "../..");
const textOf = (path: string) => readFileSync(join(root, path), "utf8");
const read = (path: string) => textOf(join("machine/files/etc", path));

/** Every file that the machine runs or is set up by, and that no program makes; the container's too. */
const written = globSync(["machine/bin/*", "machine/files/**/*", "cloud-init/files/**/*", "container/*"], {
  cwd: root,
  withFileTypes: true,
})
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
  .sort();

/** What a pattern's group finds in each file that has it. */
function found(pattern: RegExp): Readonly<Record<string, readonly string[]>> {
  const all = written.map((file) => [file, [...textOf(file).matchAll(pattern)].map(([, what = ""]) => what)] as const);
  return Object.fromEntries(
    all.filter(([, whats]) => whats.length > 0).map(([file, whats]) => [file, [...new Set(whats)]]),
  );
}

/** Where the machine's files, which no program makes, must say what signer/contract.ts says. */
describe("the contract of signer, stack and machine", () => {
  it("gives the machine's firewall and sockets the signer's ports", () => {
    expect(read("tezos-signer/firewall.nft")).to.include(`tcp dport ${SIGNER_PORT} accept`);
    expect(read("tezos-signer/firewall.nft")).to.include(`{ ${SIGNER_PORT}, ${ADMIN_PORT}, ${METRICS_PORT} }`);
    expect(read("systemd/system/tezos-signer.socket")).to.match(
      new RegExp(`^ListenStream=0\\.0\\.0\\.0:${SIGNER_PORT}$`, "m"),
    );
    expect(read("systemd/system/tezos-signer-admin.socket")).to.match(
      new RegExp(`^ListenStream=127\\.0\\.0\\.1:${ADMIN_PORT}$`, "m"),
    );
  });

  it("has every program of the machine name the same ports", () => {
    expect(found(/127\.0\.0\.1:(\d+)/g)).to.deep.equal({
      "machine/bin/alive": [`${ADMIN_PORT}`],
      "machine/bin/announce": [`${ADMIN_PORT}`],
      "machine/bin/await-ready": [`${ADMIN_PORT}`],
      "machine/bin/leave": [`${ADMIN_PORT}`],
      "machine/files/etc/systemd/system/tezos-signer-admin.socket": [`${ADMIN_PORT}`],
    });
    expect(found(/(?:on port|EXPOSE) (\d+)/g)).to.deep.equal({
      "container/Containerfile": [`${SIGNER_PORT}`],
      "machine/bin/announce": [`${SIGNER_PORT}`],
    });
  });

  it("has the updater's folder, its lock and userData under one name wherever the machine names them", () => {
    const folder = UPDATER_FOLDER.replace("/var/lib/", "");
    expect(read("systemd/system/tezos-signer-updater.service")).to.include(`StateDirectory=${folder}\n`);
    expect(read("systemd/system/tezos-signer.service")).to.include(`--allow-fs-read=${UPDATER_FOLDER} `);
    expect(found(/(\/var\/lib\/tezos-signer-updater)\b/g)).to.deep.equal({
      "machine/bin/await-ready": [UPDATER_FOLDER],
      "machine/files/etc/systemd/system/tezos-signer.service": [UPDATER_FOLDER],
      "machine/files/usr/local/sbin/tezos-signer-retry": [UPDATER_FOLDER],
    });
    const bootstrap = "cloud-init/files/usr/local/sbin/tezos-signer-bootstrap";
    expect(found(/flock (\S+)/g)).to.deep.include({
      [bootstrap]: [UPDATER_LOCK],
      "machine/bin/watch": [UPDATER_LOCK],
    });
    const url = userDataUrl("http://169.254.169.254");
    expect(found(/'(http:\S+userData\S+)'/g)).to.deep.equal({ [bootstrap]: [url], "machine/bin/watch": [url] });
  });

  it("opens the metrics port of the contract, and puts its files where the signer may read them", () => {
    const apply = textOf("machine/bin/apply");
    expect(apply).to.include(`tcp dport ${METRICS_PORT} accept`).and.include(`place=${METRICS_FOLDER}\n`);
    expect(read("systemd/system/tezos-signer.service")).to.include(` --allow-fs-read=${METRICS_FOLDER} `);
  });

  it("gives the service the folders that the signer writes to", () => {
    const service = read("systemd/system/tezos-signer.service");
    expect(service).to.include(`StateDirectory=${STATE_FOLDER.replace("/var/lib/", "")}\n`);
    expect(service).to.include(`--allow-fs-write=${CONFIRMATION_SOCKET.replace(/\/[^/]+$/, "")}`);
  });

  it("has the machine read the userData that the stack writes", () => {
    const release = {
      version: "0.2.0",
      sha256: "ab".repeat(32),
      url: "https://x.blob.core.windows.net/releases/r.tar",
      clientId: "6b0a2f57-6b7e-4d0a-9a0c-0d8f4a1f2c11",
    };
    const own = signerSettings(settings(), {
      vaultUri: "https://tezos-0123456789abcdef.vault.azure.net",
      tableEndpoint: "https://tezos0123456789abcdef.table.core.windows.net",
      table: "watermarks",
      storeId: "0123456789abcdef",
      clientId: release.clientId,
      machineId:
        "/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/signer",
    });
    const document = readUserDataDocument(userData(release, { ssh: true, metrics: ["84.20.19.1"] }, own));
    expect(document.release).to.deep.equal(release);
    expect(document.machine)
      .to.include({ ssh: true })
      .and.deep.include({ metrics: ["84.20.19.1"] });
    expect(JSON.parse(document.settings)).to.deep.equal(JSON.parse(own));
  });
});
