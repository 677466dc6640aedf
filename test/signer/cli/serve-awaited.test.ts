import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { settingsVersion } from "../../../signer/settings/version.ts";
import { hasProgram } from "../../emulators/has-program.ts";
import { Imds } from "../../emulators/imds/imds.ts";
import { KeyVaultEmulator } from "../../emulators/key-vault/emulator.ts";
import { startSignerProcess, temporaryFolder } from "../../emulators/signer-process.ts";
import { stateOf } from "../../harness/played-machine.ts";
import { releaseFolder } from "../../harness/release-folder.ts";
import { requires } from "../../harness/requires.ts";

const RELEASE = "cd".repeat(32);
const SCRIPT = readFileSync(new URL("../../../machine/bin/await-ready", import.meta.url), "utf8");
const SIGNER = {
  clientId: "11111111-2222-4333-8444-555555555555",
  objectId: "66666666-7777-4888-8999-aaaaaaaaaaaa",
};

describe("a signer that the stack waits for", function () {
  this.timeout(90_000);

  for (const [what, made] of [
    ["is told with its keys, its release and its settings", true],
    ["whose vault has no key yet is told as such", false],
  ] as const) {
    it(what, async function () {
      requires(this, hasProgram("python3"), "python3 is not installed");
      await using folder = await temporaryFolder();
      await using release = await releaseFolder(RELEASE);
      await using azure = new AsyncDisposableStack();
      const imds = azure.adopt(await Imds.start({ identities: [SIGNER] }), (started) => started.stop());
      const policies = { [SIGNER.objectId]: ["get", "list", "sign"] as const };
      const emulator = KeyVaultEmulator.start({ tokens: imds.tokens, policies });
      const vault = azure.adopt(await emulator, (started) => started.stop());
      if (made) vault.createKey("baker", { crv: "P-256" });
      const settings = JSON.stringify({
        listen: { port: 0 },
        admin: { port: 0 },
        keys: { kind: "azure-key-vault", vault: vault.url, clientId: SIGNER.clientId },
        watermarks: { kind: "sqlite", path: "watermarks.sqlite", initialise: "always", maxStep: "off" },
        policy: { default: { allow: ["attestation"] } },
      });
      const file = (name: string) => join(folder.path, name);
      await writeFile(file("settings.yaml"), settings);
      await writeFile(file("state.json"), JSON.stringify(stateOf(RELEASE)));
      const env = { AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url };
      await using signer = await startSignerProcess(folder.path, ["--config", "settings.yaml"], env, release.entry);
      const script = SCRIPT.replaceAll("http://127.0.0.1:9583", signer.adminUrl)
        .replaceAll("/var/lib/tezos-signer-updater/state.json", file("state.json"))
        .replace("sleep 5", "sleep 0.2");
      const { stdout } = await promisify(execFile)("bash", ["-c", script], {
        env: { PATH: process.env.PATH, RELEASE, SETTINGS: settingsVersion(settings) },
      });
      const report = JSON.parse(stdout);
      expect(report.release).to.equal(RELEASE);
      expect(report.keys.map(({ address }: { address: string }) => address)).to.deep.equal(signer.addresses);
      if (made) expect(report.keys[0].publicKey).to.match(/^p2pk/);
      else expect(report.missing).to.equal(`${vault.url} has no key that can sign`);
    });
  }
});
