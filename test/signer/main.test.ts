import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { InMemorySigner } from "@taquito/signer";
import { expect } from "chai";
import { LIMITS } from "../../signer/http/limits.ts";
import { encode } from "../../signer/tezos/crypto/base58.ts";
import { SqliteStore } from "../../signer/watermark/stores/sqlite.ts";
import { hasProgram } from "../emulators/has-program.ts";
import { authenticationBytes, publicKey, sign } from "../emulators/octez-client.ts";
import { attestation, block, int32, MAINNET, preattestation, transfer } from "../fixtures/payloads.ts";
import { KEY, rowAt } from "../fixtures/watermark-rows.ts";
import { makeCertificate } from "../harness/certificates.ts";
import { testKey } from "../harness/fake-signer.ts";
import { requires } from "../harness/requires.ts";
import { exchange, idleConnection, readToEnd } from "../harness/signing-port.ts";
import { WiredSigner } from "../harness/wired-signer.ts";

/** Who asks at all: `Connection: close`, so that the answer ends the connection. */
const GREETING = "GET /authorized_keys HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

/** What main.ts makes of settings: each of them reaches the part that obeys it, in a signer that runs. */
describe("a signer as main.ts wires it", () => {
  let signer: WiredSigner;
  let tz3: string;
  let tz2: string;
  before(async () => {
    signer = await WiredSigner.make();
    ({ tz3, tz2 } = signer);
  });
  after(() => signer[Symbol.asyncDispose]());
  beforeEach(() => signer.renewStore());
  afterEach(() => signer.stop());

  it("signs for the clients alone whose keys the settings name, but for a key whose policy asks for none", async () => {
    const client = new InMemorySigner(testKey("tz2").sk);
    const stranger = new InMemorySigner(testKey("tz3").sk);
    await signer.start({
      keys: signer.bothKeys,
      authentication: { keys: [await client.publicKey()] },
      policy: {
        default: { allow: ["attestation"] },
        [tz3]: { allow: ["attestation"], authentication: false },
      },
    });
    const payload = attestation({ level: 5 });
    const asked = authenticationBytes(tz2, payload.toString("hex"));
    expect(await signer.ask(tz2, payload), "without a signature").to.equal(401);
    expect(await signer.ask(tz2, payload, (await stranger.sign(asked)).prefixSig), "by another key").to.equal(403);
    expect(await signer.ask(tz2, payload, (await client.sign(asked)).prefixSig), "by the client's").to.equal(200);
    expect(await signer.ask(tz3, payload), "of the key that asks for none").to.equal(200);
  });

  it("keeps the bytes of what it refuses, and nothing that proves who asked, where the settings name a file", async () => {
    const client = new InMemorySigner(testKey("tz2").sk);
    const refusedPayloads = { file: signer.file("refused.jsonl") };
    await signer.start({ authentication: { keys: [await client.publicKey()] }, refusedPayloads });
    const asked = async (payload: Buffer) => {
      const { prefixSig } = await client.sign(authenticationBytes(tz3, payload.toString("hex")));
      return [await signer.ask(tz3, payload, prefixSig), prefixSig] as const;
    };
    const [status, authentication] = await asked(transfer());
    expect(status).to.equal(403);
    expect(await signer.ask(tz3, block()), "without a signature, which counts as never asked").to.equal(401);
    expect((await asked(attestation({ level: 5 })))[0]).to.equal(200);
    await signer.stop();
    const text = readFileSync(refusedPayloads.file, "utf8");
    expect(JSON.parse(text)).to.include({ code: "request-not-allowed", bytes: transfer().toString("hex"), key: tz3 });
    expect(text).not.to.include(authentication).and.not.include(authentication.slice(-20));
    expect(statSync(refusedPayloads.file).mode & 0o777).to.equal(0o600);
  });

  it("is watched by a port of its own where the settings name one, which a trial does not open and a port in use does not stop", async () => {
    const token = signer.file("metrics-token");
    writeFileSync(token, "0123456789abcdefghijklmnop", { mode: 0o600 });
    const metrics = { port: 0, token: { file: token } };
    const running = await signer.start({ metrics });
    const address = running.metricsAddress();
    const look = (path: string, headers = {}) => fetch(`http://127.0.0.1:${address?.port}${path}`, { headers });
    expect((await look("/metrics")).status).to.equal(401);
    const seen = await look("/metrics", { authorization: "Bearer 0123456789abcdefghijklmnop" });
    expect(await seen.text()).to.match(/^tezos_signer_ready [01]$/m);
    await signer.stop();
    expect(await look("/metrics").catch(({ message }) => message), "once it has ended").to.equal("fetch failed");
    expect((await signer.start({ metrics }, "trial")).metricsAddress()).to.equal(undefined);
    await signer.stop();
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((listening) => other.once("listening", listening));
    const { port } = other.address() as AddressInfo;
    expect((await signer.start({ metrics: { ...metrics, port } })).metricsAddress()).to.equal(undefined);
    expect(await signer.ask(tz3, attestation({ level: 5 }))).to.equal(200);
    await signer.stop();
    other.close();
  });

  it("signs on, and answers as ever, where what it refuses cannot be kept; a trial keeps nothing", async () => {
    const refusedPayloads = { file: join(signer.file("one"), "tz3.pem") };
    await signer.start({ refusedPayloads });
    const before = readFileSync(refusedPayloads.file);
    expect(await signer.ask(tz3, block())).to.equal(403);
    expect(await signer.ask(tz3, attestation({ level: 5 }))).to.equal(200);
    await signer.stop();
    expect(readFileSync(refusedPayloads.file).equals(before), "the key's file").to.equal(true);
    expect(signer.lines.map(({ msg }) => String(msg)).join()).to.include(
      "something else is in it, which is left alone",
    );
    await signer.start({ refusedPayloads: { file: signer.file("of-a-trial") } }, "trial");
    await signer.stop();
    expect(existsSync(signer.file("of-a-trial"))).to.equal(false);
  });

  it("turns away an address that allowedAddresses leaves out, and takes it in once the settings have it", async () => {
    await signer.start({ allowedAddresses: ["203.0.113.7"] });
    expect(await signer.ask(tz3, attestation({ level: 5 }))).to.equal(403);
    expect(signer.apply({ allowedAddresses: ["203.0.113.7", "127.0.0.1"] })).to.equal("applied");
    expect(await signer.ask(tz3, attestation({ level: 5 }))).to.equal(200);
  });

  it("warns where it listens to other computers and nobody proves who asks, and nowhere else", async () => {
    const warnings = () => signer.lines.filter(({ msg }) => /^Nobody proves who asks: /.test(String(msg))).length;
    const listen = { host: "0.0.0.0", port: 0 };
    const keys = ["edpkuBknW28nW72KG6RoHtYW7p12T6GKc7nAbwYX5m8Wd9sDVC9yav"];
    for (const [own, expected] of [
      [{ listen }, 1],
      [{ listen, authentication: { keys } }, 0],
      [{}, 0],
    ] as const) {
      signer.renewStore();
      await signer.start(own);
      expect(warnings(), JSON.stringify(own)).to.equal(expected);
      await signer.stop();
    }
    await signer.start({ listen }, "trial");
    expect(warnings()).to.equal(0);
  });

  it("lets strangers hold a few of its connections, and no more", async () => {
    const { url } = await signer.start({ allowedAddresses: ["127.0.0.2"] });
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

  it("counts what its server refuses before it is a request", async () => {
    const { url } = await signer.start();
    expect(await exchange(Number(new URL(url).port), "no HTTP\r\n\r\n")).to.match(/^HTTP\/1\.1 400 /);
    expect(await signer.metrics()).to.contain('tezos_signer_refusals_total{code="malformed-request"} 1\n');
  });

  it("tells in log and metrics a signature that was made from one that was kept", async () => {
    await signer.start({ policy: { default: { allow: ["block"] } } });
    for (const status of [200, 200]) expect(await signer.ask(tz3, block({ level: 5 }))).to.equal(status);
    const verdicts = signer.lines.flatMap(({ verdict }) => verdict ?? []);
    expect(verdicts).to.deep.equal(["signed", "kept"]);
    for (const verdict of verdicts) {
      expect(await signer.metrics()).to.match(
        new RegExp(`^tezos_signer_decisions_total\\{.*verdict="${verdict}".*\\} 1$`, "m"),
      );
    }
  });

  it("signs nothing on a store of another id than the settings name, and says so; on its own it signs", async () => {
    const other = new SqliteStore(signer.store);
    await other.establish("other");
    await other.close();
    const payload = attestation({ level: 5 });
    await signer.start({ watermarks: { storeId: "own" } });
    expect(await signer.ask(tz3, payload)).to.equal(500);
    const { status, body } = await signer.admin("readyz");
    expect(status).to.equal(503);
    expect(String(body.reasons)).to.contain("The store's id is other and the settings name own");
    await signer.stop();
    await signer.start({ watermarks: { storeId: "other" } });
    expect(await signer.ask(tz3, payload)).to.equal(200);
    expect((await signer.admin("readyz")).status).to.equal(200);
  });

  it("tells /readyz of a hard stop that only a request has found", async () => {
    await signer.start();
    expect(await signer.ask(tz3, attestation({ level: 5 }))).to.equal(200);
    expect(await signer.admin("readyz")).to.deep.equal({ status: 200, body: { ready: true, reasons: [] } });
    rmSync(signer.store);
    expect(await signer.ask(tz3, attestation({ level: 6 }))).to.equal(500);
    const { status, body } = await signer.admin("readyz");
    expect(status).to.equal(503);
    expect(String(body.reasons)).to.contain(signer.store);
  });

  it("makes the first row of each kind, chain and key at its start, and those of a policy that comes later", async () => {
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const allow = ["block", "preattestation", "attestation"];
    const all = {
      keys: signer.bothKeys,
      watermarks: { initialise: { level: 100, until } },
      policy: { default: { allow, chains: [MAINNET] } },
    };
    await signer.start({ ...all, policy: { default: { allow: [] }, [tz2]: all.policy.default } });
    const { watermarks } = (await signer.admin("status")).body as { watermarks: { row: string; level: number }[] };
    const rowsOf = (address: string) => allow.map((kind) => `${kind} of ${address} on ${MAINNET}`);
    expect(watermarks.map(({ row }) => row)).to.have.members(rowsOf(tz2));
    signer.apply(all);
    expect(await signer.running.examine()).to.deep.equal({ ready: true, reasons: [] });
    await signer.stop();
    const store = new SqliteStore(signer.store);
    const rows = await store.list();
    await store.close();
    expect(rows.map(({ key }) => `${key.kind} of ${key.address} on ${key.chainId}`)).to.have.members([
      ...rowsOf(tz2),
      ...rowsOf(tz3),
    ]);
    expect(rows.map(({ row }) => row.level)).to.deep.equal(Array(6).fill(99));
  });

  it("tells in log, readyz and metrics of a key that is full of chains: at the first request on another one, and what to do", async () => {
    const chain = (index: number) => encode("Net", int32(index));
    await signer.start();
    expect(await signer.ask(tz3, attestation({ level: 5, chainId: chain(0) }))).to.equal(200);
    await signer.stop();
    const database = new DatabaseSync(signer.store);
    database.exec("BEGIN");
    const copy = database.prepare(
      "INSERT INTO watermarks SELECT ?, address, kind, level, round, digest, signature, anchor_level, anchor_at, 1 FROM watermarks WHERE chain_id = ?",
    );
    for (let index = 1; index < 1_024; index++) copy.run(chain(index), chain(0));
    database.exec("COMMIT");
    database.close();

    await signer.start();
    expect(await signer.ask(tz3, attestation({ level: 6, chainId: chain(1_024) }))).to.equal(500);
    const [line] = signer.lines.filter(({ verdict }) => verdict === "watermark-missing");
    expect(line).to.include({ key: tz3, chain: chain(1_024), kind: "attestation" });
    expect(line?.msg)
      .to.include("the key has marks on 1024 chains already")
      .and.to.include("Name the chains that it is for in its policy's `chains`");
    const { status, body } = await signer.admin("readyz");
    expect(status, "on the chains that it has it signs on").to.equal(200);
    expect(String(body.reasons)).to.include("marks on so many chains");
    expect(await signer.metrics()).to.contain("tezos_signer_keys_full 1\n");
    expect(await signer.ask(tz3, attestation({ level: 6, chainId: chain(7) }))).to.equal(200);
  });

  it("believes no level that is further on than maxStep", async () => {
    await signer.start({ watermarks: { maxStep: 5 } });
    expect(await signer.ask(tz3, attestation({ level: 1_000 }))).to.equal(200);
    expect(await signer.ask(tz3, attestation({ level: 100_000 }))).to.equal(409);
    expect(await signer.ask(tz3, attestation({ level: 1_005 }))).to.equal(200);
  });

  it("believes levels as fast as the settings' shortest blocks come, and no faster", async () => {
    const store = new SqliteStore(signer.store);
    await store.establish("a-minute-ago");
    await store.insert({ ...KEY, address: tz3 }, rowAt(1_000, { anchor: { level: 1_000, at: Date.now() - 60_000 } }));
    await store.close();
    await signer.start({ watermarks: { maxStep: 5, minimalBlockDelay: 6 } });
    expect(await signer.ask(tz3, attestation({ level: 1_040 }))).to.equal(409);
    expect(await signer.ask(tz3, attestation({ level: 1_015 }))).to.equal(200);
  });

  it("believes no level by a clock that jumps ahead", async () => {
    const { now } = Date;
    let ahead = 0;
    Date.now = () => now() + ahead;
    try {
      await signer.start({ watermarks: { maxStep: 5 } });
      expect(await signer.ask(tz3, attestation({ level: 1_000 }))).to.equal(200);
      ahead = 86_400_000;
      expect(await signer.ask(tz3, attestation({ level: 80_000 }))).to.equal(409);
    } finally {
      Date.now = now;
    }
    expect(await signer.ask(tz3, attestation({ level: 1_001 }))).to.equal(200);
  });

  it("goes by the newest policy, for blocks and votes alike", async () => {
    await signer.start();
    for (const payload of [block({ level: 5 }), preattestation({ level: 5 })]) {
      expect(await signer.ask(tz3, payload)).to.equal(403);
    }
    signer.apply({ policy: { default: { allow: ["block", "preattestation"] } } });
    for (const payload of [block({ level: 5 }), preattestation({ level: 5 })]) {
      expect(await signer.ask(tz3, payload)).to.equal(200);
    }
    expect(await signer.ask(tz3, attestation({ level: 5 }))).to.equal(403);
  });

  it("follows the head of the node that the settings name, once they name one, and holds requests to it", async () => {
    const timestamp = new Date().toISOString();
    const head = JSON.stringify({ chain_id: MAINNET, level: 1_000, timestamp });
    const node = createServer((_request, response) => void response.end(head)).listen(0, "127.0.0.1");
    await new Promise((listening) => node.once("listening", listening));
    const { port } = node.address() as AddressInfo;
    await signer.start();
    expect(await signer.ask(tz3, attestation({ level: 10 }))).to.equal(200);
    signer.apply({ head: { node: `http://127.0.0.1:${port}` } });
    while (!signer.lines.some(({ msg }) => msg === "the chain's head is known")) await sleep(50);
    expect(await signer.ask(tz3, attestation({ level: 11 }))).to.equal(409);
    expect(await signer.ask(tz3, attestation({ level: 1_001 }))).to.equal(200);
    await signer.stop();
    node.close();
    node.closeAllConnections();
  });

  it("speaks TLS with the certificate that the settings name, and nothing else", async function () {
    requires(this, hasProgram("openssl"), "openssl makes the certificate");
    const [cert, key] = [signer.file("cert.pem"), signer.file("cert-key.pem")];
    makeCertificate({ cert, key });
    const { url } = await signer.start({ listen: { port: 0, tls: { cert, key } } });
    expect(url).to.match(/^https:/);
    const payload = attestation({ level: 5 }).toString("hex");
    expect(await sign(url, tz3, payload, { ca: readFileSync(cert, "utf8") })).to.include({ status: 200 });
    const plain = await publicKey(url.replace("https:", "http:"), tz3).catch((error: Error) => error);
    expect(plain).to.be.an("error");
  });
});
