import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { startSigner } from "../../signer/main.ts";
import { LiveSettings } from "../../signer/settings/live-settings.ts";
import { temporaryFolder } from "../emulators/signer-process.ts";
import { attestation } from "../fixtures/payloads.ts";
import { logLines } from "../harness/log-lines.ts";
import { WiredSigner } from "../harness/wired-signer.ts";
import { closeRig, SIGNER, startRig } from "./keys/azure-key-vault/vault-rig.ts";

/** Asks until it is so. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(100);
}

/** What a prober is told of a signer that nobody asks for a signature. */
describe("readiness and liveness", function () {
  this.timeout(120_000);

  it("part where the vault goes away: not ready, with the reason, and alive; ready again when it is back", async () => {
    await using folder = await temporaryFolder();
    const rig = await startRig();
    const settings = {
      listen: { port: 0 },
      admin: { port: 0 },
      keys: { kind: "azure-key-vault", vault: rig.vault.url, clientId: SIGNER.clientId },
      watermarks: { kind: "sqlite", path: `${folder.path}/watermarks.sqlite`, initialise: "always" },
      policy: { default: { allow: ["attestation"] } },
    };
    const signer = await startSigner(new LiveSettings(JSON.stringify(settings), "a test"), logLines().log);
    const ask = (path: string) => fetch(`${signer.adminUrl}/${path}`);
    const isReady = async () => (await ask("readyz")).ok;
    expect(await isReady()).to.equal(true);
    await rig.vault.goAway();
    await until(async () => !(await isReady()));
    const { reasons } = (await (await ask("readyz")).json()) as { reasons: string[] };
    expect(reasons.join()).to.contain(`${rig.vault.url} cannot be used now. `);
    expect((await ask("healthz")).status).to.equal(200);
    expect(await (await ask("metrics")).text()).to.match(
      /backend_faults_total\{backend="vault",cause="connection"\} \d/,
    );
    await rig.vault.comeBack();
    await until(isReady);
    await signer.stop();
    await closeRig(rig);
  });

  it("part where the store is gone, though nobody has asked for a signature since", async () => {
    await using signer = await WiredSigner.make();
    signer.renewStore();
    await signer.start();
    expect(await signer.ask(signer.tz3, attestation({ level: 5 }))).to.equal(200);
    rmSync(signer.store);
    expect((await signer.admin("readyz")).status).to.equal(503);
    expect((await fetch(`${signer.running.adminUrl}/healthz`)).status).to.equal(200);
  });

  it("name settings that are refused, and are ready with those before", async () => {
    await using signer = await WiredSigner.make();
    signer.renewStore();
    await signer.start();
    expect(() => signer.apply({ policy: 7 })).to.throw();
    const { status, body } = await signer.admin("readyz");
    expect(status).to.equal(200);
    expect(String(body.reasons)).to.match(/^The newest settings are not in use, those before are: /);
  });
});
