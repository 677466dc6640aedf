import { readFileSync, rmSync } from "node:fs";
import { cp } from "node:fs/promises";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { InMemorySigner } from "@taquito/signer";
import { expect } from "chai";
import { LIMITS } from "../../signer/http/limits.ts";
import { generateLocalKey, localPassphrase } from "../../signer/keys/local/keyring.ts";
import { REQUEST_DEADLINE, type RunningSigner, startSigner } from "../../signer/main.ts";
import { LiveSettings } from "../../signer/settings/live-settings.ts";
import { SqliteStore } from "../../signer/watermark/stores/sqlite.ts";
import { authenticationBytes, sign } from "../emulators/octez-client.ts";
import { temporaryFolder } from "../emulators/signer-process.ts";
import { attestation, block, MAINNET, preattestation, transfer } from "../fixtures/payloads.ts";
import { testKey } from "../harness/fake-signer.ts";
import { logLines } from "../harness/log-lines.ts";
import { operatorAt } from "../harness/operator.ts";
import { exchange, idleConnection, readToEnd } from "../harness/signing-port.ts";

/** Who asks at all: `Connection: close`, so that the answer ends the connection. */
const GREETING = "GET /authorized_keys HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

/** What main.ts makes of settings: each of them reaches the part that obeys it, in a signer that runs. */
describe("a signer as main.ts wires it", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let running: RunningSigner | undefined;
  let live: LiveSettings;
  /** The key of most of these signers, and the second one of some. */
  let tz3: string;
  let tz2: string;
  let bothKeys: object;

  before(async () => {
    folder = await temporaryFolder();
    const [one, both] = ["one", "both"].map((name) => join(folder.path, name)) as [string, string];
    const passphrase = await localPassphrase(one);
    tz3 = (await generateLocalKey("P-256", join(one, "tz3.pem"), passphrase)).address;
    await cp(one, both, { recursive: true });
    tz2 = (await generateLocalKey("P-256K", join(both, "tz2.pem"), passphrase)).address;
    bothKeys = { kind: "local", path: both };
  });
  after(() => folder[Symbol.asyncDispose]());

  /** Each test has a store of its own. */
  let stores = 0;
  const store = () => join(folder.path, `watermarks-${stores}.sqlite`);
  beforeEach(() => {
    stores += 1;
  });
  afterEach(async () => {
    await running?.stop();
    running = undefined;
  });

  /** Settings of a signer that may sign attestations, but for what a test is about. */
  function settings({ watermarks = {}, ...own }: { watermarks?: object; [name: string]: unknown } = {}): string {
    return JSON.stringify({
      listen: { port: 0 },
      admin: { port: 0 },
      keys: { kind: "local", path: join(folder.path, "one") },
      watermarks: { kind: "sqlite", path: store(), initialise: "always", maxStep: "off", ...watermarks },
      policy: { default: { allow: ["attestation"] } },
      ...own,
    });
  }

  async function start(own: Parameters<typeof settings>[0] = {}): Promise<RunningSigner> {
    live = new LiveSettings(settings(own), "the test's settings");
    running = await startSigner(live, logLines().log);
    return running;
  }

  /** Asks for a signature as octez does, without a look at /authorized_keys. @returns the status */
  async function ask(address: string, payload: Buffer, authentication?: string): Promise<number> {
    const query = authentication === undefined ? "" : `?authentication=${authentication}`;
    const body = JSON.stringify(payload.toString("hex"));
    return (await fetch(`${running?.url}/keys/${address}${query}`, { method: "POST", body })).status;
  }

  async function readiness(): Promise<{ status: number; reasons: string[] }> {
    const answer = await fetch(`${running?.adminUrl}/readyz`);
    const { reasons } = (await answer.json()) as { reasons: string[] };
    return { status: answer.status, reasons };
  }

  it("signs for the clients alone whose keys the settings name, but for a key whose policy asks for none", async () => {
    const client = new InMemorySigner(testKey("tz2").sk);
    const stranger = new InMemorySigner(testKey("tz3").sk);
    await start({
      keys: bothKeys,
      authentication: { keys: [await client.publicKey()] },
      policy: {
        default: { allow: ["attestation"] },
        [tz3]: { allow: ["attestation"], authentication: false },
      },
    });
    const payload = attestation({ level: 5 });
    const asked = authenticationBytes(tz2, payload.toString("hex"));
    expect(await ask(tz2, payload), "without a signature").to.equal(401);
    expect(await ask(tz2, payload, (await stranger.sign(asked)).prefixSig), "by another key").to.equal(403);
    expect(await ask(tz2, payload, (await client.sign(asked)).prefixSig), "by the client's").to.equal(200);
    expect(await ask(tz3, payload), "of the key that asks for none").to.equal(200);
  });

  it("turns away an address that allowedAddresses leaves out, and takes it in once the settings have it", async () => {
    await start({ allowedAddresses: ["203.0.113.7"] });
    expect(await ask(tz3, attestation({ level: 5 }))).to.equal(403);
    expect(live.apply(settings({ allowedAddresses: ["203.0.113.7", "127.0.0.1"] }))).to.equal("applied");
    expect(await ask(tz3, attestation({ level: 5 }))).to.equal(200);
  });

  it("lets strangers hold a few of its connections, and no more", async () => {
    const { url } = await start({ allowedAddresses: ["127.0.0.2"] });
    const port = Number(new URL(url).port);
    const few = Array.from({ length: LIMITS.maxUnlistedConnections }, () => idleConnection(port));
    const strangers = await Promise.all(few);
    expect(await exchange(port, GREETING), "one stranger more").to.equal("");
    const baker = await idleConnection(port, "127.0.0.2");
    baker.write(GREETING);
    expect(await readToEnd(baker)).to.match(/^HTTP\/1\.1 200 /);
    const [stranger] = strangers;
    stranger?.write(GREETING);
    expect(stranger && (await readToEnd(stranger))).to.match(/^HTTP\/1\.1 403 /);
    for (const socket of strangers) socket.destroy();
  });

  it("signs nothing on a store of another id than the settings name, and says so; on its own it signs", async () => {
    const other = new SqliteStore(store());
    await other.establish("other");
    await other.close();
    const payload = attestation({ level: 5 });
    await start({ watermarks: { storeId: "own" } });
    expect(await ask(tz3, payload)).to.equal(500);
    const { status, reasons } = await readiness();
    expect(status).to.equal(503);
    expect(reasons.join()).to.contain("The store's id is other and the settings name own");
    await running?.stop();
    await start({ watermarks: { storeId: "other" } });
    expect(await ask(tz3, payload)).to.equal(200);
    expect((await readiness()).status).to.equal(200);
  });

  it("tells /readyz of a hard stop that only a request has found", async () => {
    await start();
    expect(await ask(tz3, attestation({ level: 5 }))).to.equal(200);
    expect(await readiness()).to.deep.equal({ status: 200, reasons: [] });
    rmSync(store());
    expect(await ask(tz3, attestation({ level: 6 }))).to.equal(500);
    const { status, reasons } = await readiness();
    expect(status).to.equal(503);
    expect(reasons.join()).to.contain(store());
  });

  it("makes the first row of each kind, chain and key at its start, within the window for that", async () => {
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const allow = ["block", "preattestation", "attestation"];
    await start({
      keys: bothKeys,
      watermarks: { initialise: { level: 100, until } },
      policy: { default: { allow, chains: [MAINNET] } },
    });
    await running?.stop();
    const made = new SqliteStore(store());
    const rows = await made.list();
    await made.close();
    const expected = [tz2, tz3].flatMap((address) => allow.map((kind) => `${kind} of ${address} at 99`));
    expect(rows.map(({ key, row }) => `${key.kind} of ${key.address} at ${row.level}`)).to.have.members(expected);
    expect(rows.every(({ key }) => key.chainId === MAINNET)).to.equal(true);
  });

  it("believes no level that is further on than maxStep", async () => {
    await start({ watermarks: { maxStep: 5 } });
    expect(await ask(tz3, attestation({ level: 1_000 }))).to.equal(200);
    expect(await ask(tz3, attestation({ level: 100_000 }))).to.equal(409);
    expect(await ask(tz3, attestation({ level: 1_005 }))).to.equal(200);
  });

  it("goes by the newest policy, for blocks and votes alike", async () => {
    await start();
    for (const payload of [block({ level: 5 }), preattestation({ level: 5 })]) {
      expect(await ask(tz3, payload)).to.equal(403);
    }
    live.apply(settings({ policy: { default: { allow: ["block", "preattestation"] } } }));
    for (const payload of [block({ level: 5 }), preattestation({ level: 5 })]) {
      expect(await ask(tz3, payload)).to.equal(200);
    }
    expect(await ask(tz3, attestation({ level: 5 }))).to.equal(403);
  });

  it("refuses a request that waits for a person when it stops, and does not wait with it", async () => {
    const socket = join(folder.path, "confirm.sock");
    const { url, stop } = await start({
      policy: { default: { allow: [], confirm: ["transaction"] } },
      confirmation: { socket },
    });
    using operator = await operatorAt(socket);
    const asked = sign(url, tz3, transfer({ source: tz3 }).toString("hex"));
    await operator.next("asked");
    const stopped = stop();
    expect(await asked).to.include({ status: 403 });
    await stopped;
  });

  it("leaves nothing open where it cannot start: the store is free for the next one", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await new Promise((listening) => taken.once("listening", listening));
    const { port } = taken.address() as { port: number };
    const failed = await start({ listen: { port } }).catch((error: Error) => error.message);
    expect(failed).to.contain(`port ${port}: the port is in use`);
    taken.close();
    await start();
    expect(await ask(tz3, attestation({ level: 5 }))).to.equal(200);
  });

  it("ends a request before it is cut off at a stop, and a stop before systemd kills it", () => {
    const unit = resolve(import.meta.dirname, "../../machine/files/etc/systemd/system/tezos-signer.service");
    const patience = Number(/^TimeoutStopSec=(\d+)$/m.exec(readFileSync(unit, "utf8"))?.[1]) * 1_000;
    expect(REQUEST_DEADLINE).to.be.below(LIMITS.drainTimeout);
    expect(LIMITS.drainTimeout + LIMITS.closeTimeout).to.be.below(patience);
  });
});
