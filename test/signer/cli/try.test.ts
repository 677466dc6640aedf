import { execFile } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TableServiceClient } from "@azure/data-tables";
import { expect } from "chai";
import { generateLocalKey, localPassphrase } from "../../../signer/keys/local/keyring.ts";
import { azurite, freePort, tableCredential } from "../../emulators/azurite.ts";
import { Imds } from "../../emulators/imds/imds.ts";
import { KeyVaultEmulator } from "../../emulators/key-vault/emulator.ts";
import { sign } from "../../emulators/octez-client.ts";
import { startSignerProcess, temporaryFolder } from "../../emulators/signer-process.ts";
import { attestation } from "../../fixtures/payloads.ts";
import { type ReleaseFolder, releaseFolder } from "../../harness/release-folder.ts";
import { tableName } from "../../harness/watermark-stores.ts";

const MACHINE = {
  clientId: "0b4dd1f2-6f3a-4bd5-9b5c-2f8f3f0f6f01",
  objectId: "7a0c1f0e-3f57-4a55-8a39-51d0b1f0aa02",
};
const CHAIN = "NetXdQprcVkpaWU";
const OWN = { version: "0.2.0", sha256: "1".repeat(64) };
const OTHER = { version: "0.3.0", sha256: "2".repeat(64) };

interface Outcome {
  readonly code: number;
  readonly verdict: { readonly ready: boolean; readonly reasons: readonly string[] };
  readonly stderr: string;
}

describe("tezos-signer try", function () {
  this.timeout(60_000);
  let release: ReleaseFolder;
  let imds: Imds;
  let vault: KeyVaultEmulator;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let env: Record<string, string>;
  let table: string;
  let endpoint: string;

  before(async () => {
    release = await releaseFolder(OWN.sha256);
    endpoint = (await azurite()).endpoint;
  });
  after(() => release[Symbol.asyncDispose]());

  beforeEach(async () => {
    folder = await temporaryFolder();
    imds = await Imds.start({ identities: [MACHINE] });
    vault = await KeyVaultEmulator.start({
      tokens: imds.tokens,
      policies: { [MACHINE.objectId]: ["get", "list", "sign"] },
    });
    vault.createKey("baker", { crv: "P-256" });
    table = tableName();
    const ca = join(folder.path, "ca.pem");
    await writeFile(ca, (await azurite()).ca);
    env = { AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url, NODE_EXTRA_CA_CERTS: ca, STATE_DIRECTORY: folder.path };
    imds.userData = userData();
  });
  afterEach(async () => {
    await vault.stop();
    await imds.stop();
    await folder[Symbol.asyncDispose]();
  });

  function settings(changed: object = {}, watermarks: object = { initialise: "always" }): object {
    return {
      keys: { kind: "azure-key-vault", vault: vault.url, clientId: MACHINE.clientId },
      watermarks: { kind: "azure-table", endpoint, table, maxStep: "off", ...watermarks },
      policy: { default: { allow: ["attestation"], chains: [CHAIN] } },
      ...changed,
    };
  }

  function userData(value = settings(), named = OWN): string {
    const release = {
      ...named,
      url: "https://account.blob.core.windows.net/releases/x.tar",
      clientId: MACHINE.clientId,
    };
    return JSON.stringify({ release, settings: value });
  }

  function trial(seconds = 30, source: readonly string[] = ["--user-data"]): Promise<Outcome> {
    const args = [release.entry, "try", ...source, "--seconds", `${seconds}`];
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        args,
        { cwd: folder.path, env: { ...process.env, ...env } },
        (error, stdout, stderr) => {
          resolve({ code: Number(error?.code ?? 0), verdict: JSON.parse(stdout), stderr });
        },
      );
    });
  }

  async function tables(): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of new TableServiceClient(endpoint, tableCredential).listTables()) names.push(name ?? "");
    return names;
  }

  it("takes the last settings that were good for its own release while userData names another", async () => {
    expect((await trial()).code).to.equal(0);
    imds.userData = userData(settings({ policy: "of the other release" }), OTHER);
    const { code, verdict, stderr } = await trial();
    expect({ code, verdict }, stderr).to.deep.equal({ code: 0, verdict: { ready: true, reasons: [] } });
  });

  it("says that the release is ready, keeps its settings, and has made no table, signed nothing and opened no socket", async () => {
    // Where a socket cannot be opened, so that one that is opened all the same is told of.
    imds.userData = userData(settings({ confirmation: { socket: "nowhere/confirm.sock" } }));
    const { code, verdict, stderr } = await trial();
    expect({ code, verdict }, stderr).to.deep.equal({ code: 0, verdict: { ready: true, reasons: [] } });
    expect(stderr).not.to.include("Nobody can connect to confirm");
    expect(await tables()).not.to.include(table);
    expect(vault.calls.sign ?? 0).to.equal(0);
    expect(await readdir(folder.path)).to.have.members(["ca.pem", "settings-111111111111.yaml"]);
  });

  it("keeps its settings in the place of none that a signer has listened with", async () => {
    const [good, tried] = [settings(), settings({ listen: { host: "192.0.2.1" } })].map((each) => JSON.stringify(each));
    const kept = join(folder.path, "settings-111111111111.yaml");
    await writeFile(kept, good ?? "");
    imds.userData = userData(JSON.parse(tried ?? ""));
    expect((await trial()).verdict.ready).to.equal(true);
    expect(await readFile(kept, "utf8")).to.equal(good);
  });

  it("runs beside the signer that serves, on other ports than its settings name", async () => {
    const [port, admin] = [await freePort(), await freePort()];
    imds.userData = userData(settings({ listen: { port }, admin: { port: admin } }));
    await using signer = await startSignerProcess(folder.path, ["--user-data"], env, release.entry);
    expect((await trial()).verdict.ready).to.equal(true);
    const { status } = await sign(signer.url, signer.addresses[0] ?? "", attestation({ level: 5 }).toString("hex"));
    expect(status).to.equal(200);
  });

  it("tries settings in a file beside the signer that has the watermark file locked, and leaves it the lock", async () => {
    const [port, admin] = [await freePort(), await freePort()];
    const keys = join(folder.path, "keys");
    await generateLocalKey("P-256", join(keys, "tz3.pem"), await localPassphrase(keys));
    const file = {
      listen: { port },
      admin: { port: admin },
      keys: { kind: "local", path: "keys" },
      watermarks: { kind: "sqlite", path: "marks.sqlite", initialise: "always", maxStep: "off" },
      policy: { default: { allow: ["attestation"], chains: [CHAIN] } },
    };
    await writeFile(join(folder.path, "settings.yaml"), JSON.stringify(file));
    await using signer = await startSignerProcess(folder.path, ["--config", "settings.yaml"], env, release.entry);
    const ask = (level: number) => sign(signer.url, signer.addresses[0] ?? "", attestation({ level }).toString("hex"));
    expect((await ask(5)).status).to.equal(200);
    const { code, verdict, stderr } = await trial(30, ["--config", "settings.yaml"]);
    expect({ code, verdict }, stderr).to.deep.equal({ code: 0, verdict: { ready: true, reasons: [] } });
    expect((await ask(6)).status).to.equal(200);
    expect((await ask(4)).status).to.equal(409);
  });

  it("ends with 11 and the reasons where the vault is away, and keeps nothing", async () => {
    await vault.goAway();
    const { code, verdict } = await trial(1);
    expect(code).to.equal(11);
    expect(verdict.ready).to.equal(false);
    expect(verdict.reasons.join(" ")).to.contain(vault.url);
    expect(await readdir(folder.path)).to.deep.equal(["ca.pem"]);
  });

  it("ends with 11 where a start would find no watermarks and may make none", async () => {
    imds.userData = userData(settings({}, {}));
    const { code, verdict } = await trial(1);
    expect(code).to.equal(11);
    expect(verdict.reasons.join(" ")).to.contain("There is no watermark store, and none may be made");
  });

  it("ends with 11 where userData cannot be had", async () => {
    await imds.goAway();
    const { code, verdict } = await trial(1);
    expect(code).to.equal(11);
    expect(verdict.reasons.join(" ")).to.contain("userData could not be read");
  });

  it("admits nobody to its ports", async () => {
    imds.userData = userData(settings({}, {}));
    const args = [release.entry, "try", "--user-data", "--seconds", "20"];
    const child = execFile(
      process.execPath,
      args,
      { cwd: folder.path, env: { ...process.env, ...env } },
      () => undefined,
    );
    let log = "";
    child.stderr?.on("data", (chunk) => {
      log += chunk;
    });
    let url: string | undefined;
    while (url === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      url = /"url":"([^"]+)"/.exec(log)?.[1];
    }
    expect((await fetch(`${url}/authorized_keys`)).status).to.equal(403);
    child.kill("SIGKILL");
  });

  for (const [title, text, reason] of [
    ["settings that are wrong", () => userData({ ...settings(), colour: "blue" }), "colour: there is no such setting"],
    [
      "settings of another release where none were ever good for this one",
      () => userData(settings(), OTHER),
      "is for release 0.3.0 (222222222222), and this is",
    ],
    ["settings without the envelope", () => JSON.stringify(settings()), "has the form of release 0.1.0"],
  ] as const) {
    it(`ends with 4 for ${title}`, async () => {
      imds.userData = text();
      const { code, verdict, stderr } = await trial();
      expect(code).to.equal(4);
      expect(verdict.ready).to.equal(false);
      expect(verdict.reasons.join(" ")).to.contain(reason);
      expect(stderr.replaceAll(/\s+/g, " ")).to.contain(reason);
    });
  }
});
