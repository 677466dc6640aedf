import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { Imds } from "../../emulators/imds/imds.ts";
import { sign } from "../../emulators/octez-client.ts";
import { type SignerProcess, startSignerProcess, temporaryFolder } from "../../emulators/signer-process.ts";
import { attestation, preattestation } from "../../fixtures/payloads.ts";
import { writeLocalKey } from "../../harness/local-key.ts";
import { type ReleaseFolder, releaseFolder } from "../../harness/release-folder.ts";

/** A folder with a key, and settings that fit it. */
async function folder() {
  const made = await temporaryFolder();
  await writeLocalKey(join(made.path, "keys"));
  return made;
}

interface Release {
  readonly version: string;
  readonly sha256: string;
}

function settings(changed: object = {}): object {
  return {
    listen: { port: 0 },
    admin: { port: 0 },
    keys: { kind: "local", path: "keys" },
    watermarks: { kind: "sqlite", path: "watermarks.sqlite", initialise: "always", maxStep: "off" },
    policy: { default: { allow: ["attestation"] } },
    ...changed,
  };
}

/** userData with these settings, beside the name of a release. */
function userData(settings: object, release?: Release): string {
  const named = release && {
    ...release,
    url: "https://account.blob.core.windows.net/releases/x.tar",
    clientId: "0b4d",
  };
  return JSON.stringify({ release: named, machine: { ssh: false, maintenance: "04:30" }, settings });
}

interface Status {
  readonly settings: { readonly refused: string | null; readonly version: string };
  readonly release: {
    readonly version: string;
    readonly sha256: string | null;
    readonly waitingSettings: Release | null;
  };
}

async function status(adminUrl: string): Promise<Status> {
  return (await (await fetch(`${adminUrl}/status`)).json()) as Status;
}

async function refusal(adminUrl: string): Promise<string | null> {
  return (await status(adminUrl)).settings.refused;
}

/** Said once settings are kept for a start without userData. */
const GOOD = "these settings are good";
/** Documentation only (RFC 5737): no computer has it. */
const NOT_OURS = { listen: { port: 0, host: "192.0.2.1" } };
const BOTH = { policy: { default: { allow: ["attestation", "preattestation"] } } };
const OWN = { version: "0.2.0", sha256: "1".repeat(64) };
const NEXT = { version: "0.3.0", sha256: "2".repeat(64) };

describe("serve --user-data", () => {
  it("follows the machine's userData: takes a policy at once, keeps the old one for a broken text, ends for a new port", async function () {
    this.timeout(60_000);
    await using dir = await folder();
    const imds = await Imds.start({ identities: [] });
    imds.userData = userData(settings());
    const env = { AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url };
    await using signer = await startSignerProcess(dir.path, ["--user-data"], env);
    const address = signer.addresses[0] ?? "";
    const asked = () => sign(signer.url, address, preattestation({ level: 5 }).toString("hex"));
    expect((await asked()).status).to.equal(403);

    imds.userData = userData(settings(BOTH));
    await logged(signer.log, "new settings are in use");
    expect((await asked()).status).to.equal(200);

    imds.userData = userData({ colour: "blue" });
    await logged(signer.log, "colour: there is no such setting");
    expect(await refusal(signer.adminUrl)).to.contain("colour: there is no such setting");
    expect((await sign(signer.url, address, attestation({ level: 6 }).toString("hex"))).status).to.equal(200);

    const ended = new Promise((resolve) => signer.child.once("exit", resolve));
    imds.userData = userData(settings({ listen: { port: 0, host: "127.0.0.2" } }));
    expect(await ended).to.equal(0);
    await imds.stop();
  });

  it("starts with the last good settings where userData is broken or cannot be had, and says so", async function () {
    this.timeout(60_000);
    await using dir = await folder();
    const imds = await Imds.start({ identities: [] });
    const env = { AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url, STATE_DIRECTORY: dir.path };
    imds.userData = userData(settings());
    {
      await using signer = await startSignerProcess(dir.path, ["--user-data"], env);
      expect(await refusal(signer.adminUrl)).to.equal(null);
      await logged(signer.log, GOOD);
    }
    imds.userData = userData({ colour: "blue" });
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

  it("starts again with the last good settings where userData was broken while it ran", async function () {
    this.timeout(60_000);
    await using dir = await folder();
    const imds = await Imds.start({ identities: [] });
    const env = { AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url, STATE_DIRECTORY: dir.path };
    imds.userData = userData(settings());
    {
      await using signer = await startSignerProcess(dir.path, ["--user-data"], env);
      await logged(signer.log, GOOD);
      imds.userData = userData(settings(BOTH));
      await logged(signer.log, GOOD, 2);
      imds.userData = userData({ colour: "blue" });
      await logged(signer.log, "colour: there is no such setting");
      expect(await refusal(signer.adminUrl)).to.contain("colour: there is no such setting");
      imds.userData = "settings: {";
      await logged(signer.log, "The machine's userData cannot be used");
      expect(await refusal(signer.adminUrl)).to.contain("The machine's userData cannot be used");
    }
    await using signer = await startSignerProcess(dir.path, ["--user-data"], env);
    expect(await refusal(signer.adminUrl)).to.contain("The machine's userData cannot be used");
    const payload = preattestation({ level: 7 }).toString("hex");
    expect((await sign(signer.url, signer.addresses[0] ?? "", payload)).status).to.equal(200);
    await imds.stop();
  });

  it("goes back to the settings that worked where no signer can listen with the new ones, says so, and tries these again at the next start", async function () {
    this.timeout(60_000);
    await using dir = await folder();
    const imds = await Imds.start({ identities: [] });
    const env = { AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url, STATE_DIRECTORY: dir.path };
    const start = () => startSignerProcess(dir.path, ["--user-data"], env);
    const failed = async () => {
      const message = await start().catch((error: Error) => error.message);
      expect(String(message).replaceAll(/\s+/g, " ")).to.match(/^exit 4: .*this computer has no such address/);
    };
    imds.userData = userData(settings());
    {
      await using signer = await start();
      await logged(signer.log, GOOD);
      const ended = new Promise((resolve) => signer.child.once("exit", resolve));
      imds.userData = userData(settings({ ...BOTH, ...NOT_OURS }));
      expect(await ended).to.equal(0);
    }
    for (let round = 0; round < 2; round += 1) {
      await failed();
      await using signer = await start();
      expect(await refusal(signer.adminUrl))
        .to.contain("No signer could be started with the settings in the machine's userData")
        .and.to.contain("this computer has no such address");
      expect(await (await fetch(`${signer.adminUrl}/metrics`)).text()).to.contain("tezos_signer_settings_refused 1\n");
      const address = signer.addresses[0] ?? "";
      expect((await sign(signer.url, address, attestation({ level: 7 }).toString("hex"))).status).to.equal(200);
      expect((await sign(signer.url, address, preattestation({ level: 7 }).toString("hex"))).status).to.equal(403);
    }
    await failed();
    await using signer = await start();
    imds.userData = userData(settings(BOTH));
    await logged(signer.log, "new settings are in use");
    expect(await refusal(signer.adminUrl)).to.equal(null);
    await imds.stop();
  });

  it("keeps no settings with which it listened and was never ready: without userData it starts with those before", async function () {
    this.timeout(60_000);
    await using dir = await folder();
    const imds = await Imds.start({ identities: [] });
    const env = { AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url, STATE_DIRECTORY: dir.path };
    const start = () => startSignerProcess(dir.path, ["--user-data"], env);
    imds.userData = userData(settings());
    {
      await using signer = await start();
      await logged(signer.log, GOOD);
    }
    const watermarks = { kind: "sqlite", path: "watermarks.sqlite", storeId: "of another signer" };
    imds.userData = userData(settings({ watermarks }));
    {
      await using signer = await start();
      expect((await fetch(`${signer.adminUrl}/readyz`)).status).to.equal(503);
    }
    imds.userData = userData({ colour: "blue" });
    await using signer = await start();
    const payload = attestation({ level: 7 }).toString("hex");
    expect((await sign(signer.url, signer.addresses[0] ?? "", payload)).status).to.equal(200);
    await imds.stop();
  });

  it("says what is wrong with userData, and not with the last good settings, where these are damaged", async () => {
    await using dir = await folder();
    const imds = await Imds.start({ identities: [] });
    imds.userData = userData(settings(NOT_OURS));
    await writeFile(join(dir.path, "settings.yaml"), "keys: {");
    const env = { AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url, STATE_DIRECTORY: dir.path };
    const start = () => startSignerProcess(dir.path, ["--user-data"], env).catch((error: Error) => error.message);
    for (let round = 0; round < 2; round += 1) {
      expect(String(await start()).replaceAll(/\s+/g, " ")).to.match(/^exit 4: .*this computer has no such address/);
    }
    imds.userData = userData({ colour: "blue" });
    expect(await start()).to.match(/^exit 4: .*colour: there is no such setting/s);
    await imds.stop();
  });

  it("does not start on broken userData where no settings were ever good", async () => {
    await using dir = await folder();
    const imds = await Imds.start({ identities: [] });
    imds.userData = userData({ colour: "blue" });
    const env = { AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url, STATE_DIRECTORY: dir.path };
    const message = await startSignerProcess(dir.path, ["--user-data"], env).catch((error: Error) => error.message);
    expect(message).to.match(/^exit 4: .*colour: there is no such setting/s);
    await imds.stop();
  });
});

describe("serve --user-data of a release", () => {
  let release: ReleaseFolder;
  let imds: Imds;

  before(async () => {
    release = await releaseFolder(OWN.sha256);
  });
  after(() => release[Symbol.asyncDispose]());

  beforeEach(async () => {
    imds = await Imds.start({ identities: [] });
  });
  afterEach(() => imds.stop());

  const start = (path: string) => {
    const env = { AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url, STATE_DIRECTORY: path };
    return startSignerProcess(path, ["--user-data"], env, release.entry);
  };
  const asked = async (signer: SignerProcess, payload: Buffer) =>
    (await sign(signer.url, signer.addresses[0] ?? "", payload.toString("hex"))).status;

  it("leaves settings beside another release's name alone, says that they wait, and takes them once its own is named", async function () {
    this.timeout(60_000);
    await using dir = await folder();
    imds.userData = userData(settings(), OWN);
    await using signer = await start(dir.path);
    const before = await status(signer.adminUrl);
    expect(before.release).to.include({ sha256: OWN.sha256, waitingSettings: null });
    const listening = signer.log.find(({ msg }) => msg === "listening");
    expect(listening).to.include({ version: before.release.version, release: OWN.sha256 });

    // What only the next release knows is no mistake here.
    imds.userData = userData({ ...settings(BOTH), colour: "blue" }, NEXT);
    await logged(signer.log, "wait for release 0.3.0 (222222222222)");
    const waiting = await status(signer.adminUrl);
    expect(waiting.release.waitingSettings).to.deep.equal(NEXT);
    expect(waiting.settings).to.deep.equal(before.settings);
    expect(await asked(signer, preattestation({ level: 5 }))).to.equal(403);
    const metrics = await (await fetch(`${signer.adminUrl}/metrics`)).text();
    expect(metrics).to.contain("tezos_signer_settings_refused 0\n");
    expect(metrics).to.match(/tezos_signer_build_info\{version="[\d.]+",release="111111111111"\} 1\n/);

    imds.userData = userData(settings(BOTH), OWN);
    await logged(signer.log, "new settings are in use");
    expect((await status(signer.adminUrl)).release.waitingSettings).to.equal(null);
    expect(await asked(signer, preattestation({ level: 5 }))).to.equal(200);
    // What ends by itself leaves what Node.js compiled of this folder to the tests that follow.
    await signer.end("SIGTERM");
  });

  it("starts with the last good settings of its own while another release is named", async function () {
    this.timeout(60_000);
    await using dir = await folder();
    imds.userData = userData(settings(BOTH), OWN);
    {
      await using signer = await start(dir.path);
      await logged(signer.log, GOOD);
    }
    imds.userData = userData({ colour: "blue" }, NEXT);
    await using signer = await start(dir.path);
    const { settings: used, release } = await status(signer.adminUrl);
    expect(used.refused).to.equal(null);
    expect(release.waitingSettings).to.deep.equal(NEXT);
    expect(await asked(signer, preattestation({ level: 5 }))).to.equal(200);
  });

  it("takes back the settings of a release that is taken back", async function () {
    this.timeout(60_000);
    await using dir = await folder();
    imds.userData = userData(settings(), OWN);
    {
      await using signer = await start(dir.path);
      await logged(signer.log, GOOD);
    }
    imds.userData = userData(settings(BOTH), NEXT);
    {
      await using next = await releaseFolder(NEXT.sha256);
      const env = { AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url, STATE_DIRECTORY: dir.path };
      await using signer = await startSignerProcess(dir.path, ["--user-data"], env, next.entry);
      expect(await asked(signer, preattestation({ level: 5 }))).to.equal(200);
      await logged(signer.log, GOOD);
    }
    await using signer = await start(dir.path);
    expect(await asked(signer, preattestation({ level: 6 }))).to.equal(403);
    expect(await asked(signer, attestation({ level: 6 }))).to.equal(200);
    expect(await readdir(dir.path)).to.include.members(["settings-111111111111.yaml", "settings-222222222222.yaml"]);
  });

  it("does not start while another release is named and no settings were ever good for it", async function () {
    this.timeout(60_000);
    await using dir = await folder();
    imds.userData = userData(settings(), NEXT);
    const message = await start(dir.path).catch((error: Error) => error.message);
    expect(String(message).replaceAll(/\s+/g, " ")).to.match(
      /^exit 4: .*is for release 0\.3\.0 \(222222222222\), and this is \d+\.\d+\.\d+ \(111111111111\), which never had settings that were good/,
    );
  });

  it("does not start on settings without the envelope, and says how they are to be given", async () => {
    await using dir = await folder();
    imds.userData = JSON.stringify(settings());
    const message = await start(dir.path).catch((error: Error) => error.message);
    expect(String(message).replaceAll(/\s+/g, " ")).to.match(/^exit 4: .*has the form of release 0\.1\.0/);
  });
});

/** Waits until so many lines have this text. */
async function logged(log: readonly Record<string, unknown>[], text: string, times = 1): Promise<void> {
  while (log.filter(({ msg }) => String(msg).includes(text)).length < times) await sleep(50);
}
