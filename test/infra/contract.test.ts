import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { signerSettings } from "../../infra/config/signer-settings.ts";
import { userData } from "../../infra/user-data.ts";
import { readUserDataDocument } from "../../signer/azure/user-data-document.ts";
import { ADMIN_PORT, CONFIRMATION_SOCKET, SIGNER_PORT, STATE_FOLDER } from "../../signer/contract.ts";
import { settings } from "../fixtures/stack-configs.ts";

const files = resolve(import.meta.dirname, "../../machine/files/etc");
const read = (path: string) => readFileSync(join(files, path), "utf8");

/** Where the machine's files, which no program makes, must say what signer/contract.ts says. */
describe("the contract of signer, stack and machine", () => {
  it("gives the machine's firewall and sockets the signer's ports", () => {
    expect(read("tezos-signer/firewall.nft")).to.include(`tcp dport ${SIGNER_PORT} accept`);
    expect(read("tezos-signer/firewall.nft")).to.include(`{ ${SIGNER_PORT}, ${ADMIN_PORT} }`);
    expect(read("systemd/system/tezos-signer.socket")).to.match(
      new RegExp(`^ListenStream=0\\.0\\.0\\.0:${SIGNER_PORT}$`, "m"),
    );
    expect(read("systemd/system/tezos-signer-admin.socket")).to.match(
      new RegExp(`^ListenStream=127\\.0\\.0\\.1:${ADMIN_PORT}$`, "m"),
    );
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
    });
    const document = readUserDataDocument(userData(release, true, own));
    expect(document.release).to.deep.equal(release);
    expect(document.machine.ssh).to.equal(true);
    expect(JSON.parse(document.settings)).to.deep.equal(JSON.parse(own));
  });
});
