import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { verifySignature } from "@taquito/utils";
import { expect } from "chai";
import { publicKey, sign } from "../../../emulators/octez-client.ts";
import { startSignerProcess, temporaryFolder } from "../../../emulators/signer-process.ts";
import { attestation } from "../../../fixtures/payloads.ts";
import { keyBackend } from "../../../harness/key-backends.ts";

describe("a signer on a computer of one's own with a vault's key", function () {
  this.timeout(120_000);

  it("signs in the name that its environment has, by credential: default", async () => {
    await using folder = await temporaryFolder();
    await using place = await keyBackend("azure-key-vault").place(folder.path, "P-256");
    const settings = {
      listen: { port: 0 },
      admin: { port: 0 },
      keys: { ...place.settings, credential: "default" },
      watermarks: { kind: "sqlite", path: "watermarks.sqlite", initialise: "always", maxStep: "off" },
      policy: { default: { allow: ["attestation"] } },
    };
    writeFileSync(join(folder.path, "settings.yaml"), JSON.stringify(settings));
    await using signer = await startSignerProcess(folder.path, ["--config", "settings.yaml"], place.env);
    const [address = ""] = signer.addresses;
    const payload = attestation({ level: 1 }).toString("hex");
    const { signature = "" } = await sign(signer.url, address, payload);
    expect(verifySignature(payload, await publicKey(signer.url, address), signature)).to.equal(true);
  });
});
