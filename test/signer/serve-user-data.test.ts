import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { generateLocalKey, localPassphrase } from "../../signer/keys/local.ts";
import { Imds } from "../support/key-vault/imds.ts";
import { sign } from "../support/octez-client.ts";
import { attestation, preattestation } from "../support/payloads.ts";
import { startSignerProcess, temporaryFolder } from "../support/signer-process.ts";

/** A folder with a key, and settings that fit it. */
async function folder() {
  const made = await temporaryFolder();
  const keys = join(made.path, "keys");
  await mkdir(keys, { mode: 0o700 });
  await generateLocalKey("P-256", join(keys, "tz3.pem"), await localPassphrase(keys));
  return made;
}

function settings(changed: object = {}): string {
  return JSON.stringify({
    listen: { port: 0 },
    admin: { port: 0 },
    keys: { kind: "local", path: "keys" },
    watermarks: { kind: "sqlite", path: "watermarks.sqlite", initialise: "always", maxStep: "off" },
    policy: { default: { allow: ["attestation"] } },
    ...changed,
  });
}

async function refusal(adminUrl: string): Promise<string | null> {
  const status = (await (await fetch(`${adminUrl}/status`)).json()) as { settings: { refused: string | null } };
  return status.settings.refused;
}

describe("serve --user-data", () => {
  it("follows the machine's userData: takes a policy at once, keeps the old one for a broken text, ends for a new port", async function () {
    this.timeout(60_000);
    await using dir = await folder();
    const imds = await Imds.start({ identities: [] });
    imds.userData = settings({});
    const env = { AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url };
    await using signer = await startSignerProcess(dir.path, ["--user-data"], env);
    const address = signer.addresses[0] ?? "";
    const asked = () => sign(signer.url, address, preattestation({ level: 5 }).toString("hex"));
    expect((await asked()).status).to.equal(403);

    imds.userData = settings({ policy: { default: { allow: ["attestation", "preattestation"] } } });
    await logged(signer.log, "new settings are in use");
    expect((await asked()).status).to.equal(200);

    imds.userData = "colour: blue";
    await logged(signer.log, "colour: there is no such setting");
    expect(await refusal(signer.adminUrl)).to.contain("colour: there is no such setting");
    expect((await sign(signer.url, address, attestation({ level: 6 }).toString("hex"))).status).to.equal(200);

    const ended = new Promise((resolve) => signer.child.once("exit", resolve));
    imds.userData = settings({ listen: { port: 0, host: "127.0.0.2" } });
    expect(await ended).to.equal(0);
    await imds.stop();
  });

  it("starts with the last good settings where userData is broken or cannot be had, and says so", async function () {
    this.timeout(60_000);
    await using dir = await folder();
    const imds = await Imds.start({ identities: [] });
    const env = { AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url, STATE_DIRECTORY: dir.path };
    imds.userData = settings();
    {
      await using signer = await startSignerProcess(dir.path, ["--user-data"], env);
      expect(await refusal(signer.adminUrl)).to.equal(null);
    }
    imds.userData = "colour: blue";
    {
      await using signer = await startSignerProcess(dir.path, ["--user-data"], env);
      expect(await refusal(signer.adminUrl)).to.contain("colour: there is no such setting");
      const payload = attestation({ level: 7 }).toString("hex");
      expect((await sign(signer.url, signer.addresses[0] ?? "", payload)).status).to.equal(200);
    }
    await imds.stop();
    await using signer = await startSignerProcess(dir.path, ["--user-data"], env);
    expect(await refusal(signer.adminUrl)).to.contain("userData could not be read");
  });

  it("does not start on broken userData where no settings were ever good", async () => {
    await using dir = await folder();
    const imds = await Imds.start({ identities: [] });
    imds.userData = "colour: blue";
    const env = { AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url, STATE_DIRECTORY: dir.path };
    const message = await startSignerProcess(dir.path, ["--user-data"], env).catch((error: Error) => error.message);
    expect(message).to.match(/^exit 4: .*colour: there is no such setting/s);
    await imds.stop();
  });
});

async function logged(log: readonly Record<string, unknown>[], text: string): Promise<void> {
  while (!log.some(({ msg }) => String(msg).includes(text))) await sleep(50);
}
