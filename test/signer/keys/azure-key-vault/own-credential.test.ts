import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { verifySignature } from "@taquito/utils";
import { expect } from "chai";
import { Entra } from "../../../emulators/entra.ts";
import { KeyVaultEmulator } from "../../../emulators/key-vault/emulator.ts";
import { TokenAuthority } from "../../../emulators/key-vault/tokens.ts";
import { publicKey, sign } from "../../../emulators/octez-client.ts";
import { type SignerProcess, startSignerProcess, temporaryFolder } from "../../../emulators/signer-process.ts";
import { attestation } from "../../../fixtures/payloads.ts";
import { keyBackend } from "../../../harness/key-backends.ts";

const APPLICATION = {
  clientId: "3c1e5c07-90a4-4dd7-8a51-6d0f5ac5a1b2",
  objectId: "e2a9d3f4-7b60-4c8e-a1d5-0f9b8c7d6e5f",
};
const SECRET = "sesame~1.secret-of-the-application";

function writeSettings(folder: string, keys: object): void {
  const settings = {
    listen: { port: 0 },
    admin: { port: 0 },
    keys: { ...keys, credential: "default" },
    watermarks: { kind: "sqlite", path: "watermarks.sqlite", initialise: "always", maxStep: "off" },
    policy: { default: { allow: ["attestation"] } },
  };
  writeFileSync(join(folder, "settings.yaml"), JSON.stringify(settings));
}

async function expectToSign(signer: SignerProcess): Promise<void> {
  const [address = ""] = signer.addresses;
  const payload = attestation({ level: 1 }).toString("hex");
  const { signature = "" } = await sign(signer.url, address, payload);
  expect(verifySignature(payload, await publicKey(signer.url, address), signature)).to.equal(true);
}

describe("a signer on a computer of one's own with a vault's key", function () {
  this.timeout(120_000);

  it("signs in the name that its environment has, by credential: default", async () => {
    await using folder = await temporaryFolder();
    await using place = await keyBackend("azure-key-vault").place(folder.path, "P-256");
    writeSettings(folder.path, place.settings);
    await using signer = await startSignerProcess(folder.path, ["--config", "settings.yaml"], place.env);
    await expectToSign(signer);
  });

  describe("as an application of Entra ID with a secret (docs/on-premises.md)", () => {
    async function start(folder: string, secret: string) {
      const tokens = new TokenAuthority();
      const policies = { [APPLICATION.objectId]: ["get", "list", "sign"] as const };
      const vault = await KeyVaultEmulator.start({ tokens, policies });
      vault.createKey("baker", { crv: "P-256" });
      const entra = await Entra.start({ tokens, application: APPLICATION, secret: SECRET });
      writeSettings(folder, { kind: "azure-key-vault", vault: vault.url });
      writeFileSync(join(folder, "authority.pem"), entra.certificate);
      const env = {
        AZURE_TENANT_ID: entra.tenant,
        AZURE_CLIENT_ID: APPLICATION.clientId,
        AZURE_CLIENT_SECRET: secret,
        HTTPS_PROXY: entra.proxy,
        NODE_EXTRA_CA_CERTS: join(folder, "authority.pem"),
      };
      const signer = startSignerProcess(folder, ["--config", "settings.yaml"], env);
      const [started] = await Promise.allSettled([signer]);
      return {
        entra,
        started,
        [Symbol.asyncDispose]: async () => {
          if (started.status === "fulfilled") await started.value[Symbol.asyncDispose]();
          await vault.stop();
          await entra[Symbol.asyncDispose]();
        },
      };
    }

    it("signs with what AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET give it", async () => {
      await using folder = await temporaryFolder();
      await using place = await start(folder.path, SECRET);
      if (place.started.status === "rejected") throw place.started.reason;
      await expectToSign(place.started.value);
      expect(place.entra.answered).to.include(200);
    });

    it("says that a wrong secret was refused, and never the secret", async () => {
      await using folder = await temporaryFolder();
      await using place = await start(folder.path, "another~secret");
      const said =
        place.started.status === "rejected"
          ? String(place.started.reason)
          : JSON.stringify([place.started.value.log, place.started.value.output()]);
      expect(place.entra.answered).to.include(401);
      expect(said).to.include("AADSTS7000215");
      expect(said).to.not.include("another~secret");
    });
  });
});
