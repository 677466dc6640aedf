import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { LIMITS } from "../../signer/http/limits.ts";
import { BUDGETS } from "../../signer/signing/budgets.ts";
import { TrustedStore } from "../../signer/watermark/trusted-store.ts";
import { sign } from "../emulators/octez-client.ts";
import { attestation, block, preattestation, transfer } from "../fixtures/payloads.ts";
import { operatorAt } from "../harness/operator.ts";
import { WiredSigner } from "../harness/wired-signer.ts";

/** What the list of rows for /status may take, which is read beside the first request. */
const A_LOOK = 10_000;

/** How main.ts begins and ends a signer, and what lives as long as it. */
describe("the life of a signer as main.ts wires it", () => {
  let signer: WiredSigner;
  let tz3: string;
  before(async () => {
    signer = await WiredSigner.make();
    ({ tz3 } = signer);
  });
  after(() => signer[Symbol.asyncDispose]());
  beforeEach(() => signer.renewStore());
  afterEach(() => signer.stop());

  /** Settings under which a transfer waits for a person. */
  const confirming = () => ({
    policy: { default: { allow: [], confirm: ["transaction"] } },
    confirmation: { socket: signer.file("confirm.sock") },
  });
  const ask = () => sign(signer.running.url, tz3, transfer({ source: tz3 }).toString("hex"));

  it("judges a request that a person has approved by the newest policy", async () => {
    await signer.start(confirming());
    using operator = await operatorAt(signer.file("confirm.sock"));
    const asked = ask();
    const { question } = await operator.next("asked");
    expect(signer.apply({ ...confirming(), policy: { default: { allow: [] } } })).to.equal("applied");
    operator.answer({ id: question.id, confirm: true });
    expect(await asked).to.include({ status: 403 });
    signer.apply(confirming());
    expect(await ask(), "the yes is remembered").to.include({ status: 200 });
  });

  it("refuses a request that waits for a person when it stops, does not wait with it, and takes its socket away", async () => {
    const { stop } = await signer.start(confirming());
    using operator = await operatorAt(signer.file("confirm.sock"));
    const asked = ask();
    await operator.next("asked");
    const stopped = stop();
    expect(await asked).to.include({ status: 403 });
    await stopped;
    expect(existsSync(signer.file("confirm.sock"))).to.equal(false);
  });

  it("is over once it stops: no port, no key and no lock is left to the next one", async () => {
    const { url, adminUrl, keyring, stop } = await signer.start();
    const key = keyring.keys.get(tz3);
    await stop();
    for (const gone of [url, adminUrl]) {
      expect(await fetch(gone).catch((error: Error) => error.message)).to.equal("fetch failed");
    }
    const digest = new Uint8Array(32);
    const signing = async () => key?.sign(digest, AbortSignal.timeout(1_000));
    expect(await signing().catch(() => "wiped")).to.equal("wiped");
    await signer.start();
    expect(await signer.ask(tz3, attestation({ level: 5 }))).to.equal(200);
  });

  it("is not over before what holds the keys is closed", async () => {
    const { keyring, stop } = await signer.start();
    const { close } = keyring;
    let isClosed = false;
    keyring.close = async () => {
      await sleep(50);
      await close.call(keyring);
      isClosed = true;
    };
    await stop();
    expect(isClosed).to.equal(true);
  });

  it("tries a store that is not to be had once before it listens, and goes on in the background", async () => {
    const { prepare } = TrustedStore.prototype;
    const listens = Promise.withResolvers<void>();
    let tries = 0;
    let ended = 0;
    TrustedStore.prototype.prepare = async function (...given) {
      tries += 1;
      // On a slow computer the second is begun before the first requests can come; nothing waits for it.
      if (tries > 1) await listens.promise;
      try {
        return await prepare.apply(this, given);
      } finally {
        ended += 1;
      }
    };
    try {
      await signer.start({ watermarks: { initialise: undefined } });
      expect(ended).to.equal(1);
      listens.resolve();
      while (ended < 2) await sleep(20);
    } finally {
      TrustedStore.prototype.prepare = prepare;
    }
  });

  it("leaves nothing open where it cannot start: the store is free for the next one", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await new Promise((listening) => taken.once("listening", listening));
    const { port } = taken.address() as { port: number };
    const failed = await signer.start({ listen: { port } }).catch((error: Error) => error.message);
    expect(failed).to.contain(`port ${port}: the port is in use`);
    taken.close();
    await signer.start();
    expect(await signer.ask(tz3, attestation({ level: 5 }))).to.equal(200);
  });

  it("ends a request before it is cut off at a stop, and a stop before systemd kills it", () => {
    const unit = resolve(import.meta.dirname, "../../machine/files/etc/systemd/system/tezos-signer.service");
    const patience = Number(/^TimeoutStopSec=(\d+)$/m.exec(readFileSync(unit, "utf8"))?.[1]) * 1_000;
    expect(Math.max(...Object.values(BUDGETS))).to.be.below(LIMITS.drainTimeout);
    expect(LIMITS.drainTimeout + LIMITS.closeTimeout).to.be.below(patience);
  });

  it("gives a vote less than 2 s, a block less than 3 s and a transfer 4 s; in its first ten seconds 4 s to each", async () => {
    await signer.start({ policy: { default: { allow: ["block", "preattestation", "attestation", "transaction"] } } });
    const { timeout } = AbortSignal;
    const { now } = performance;
    const longest: number[] = [];
    const payloads = [preattestation, attestation, block].map((make) => make({ level: 7 }));
    for (const payload of [attestation({ level: 6 }), ...payloads, transfer({ source: tz3 })]) {
      const asked: number[] = [];
      AbortSignal.timeout = (milliseconds) => {
        asked.push(milliseconds);
        return timeout.call(AbortSignal, milliseconds);
      };
      const status = await signer.ask(tz3, payload).finally(() => {
        AbortSignal.timeout = timeout;
      });
      expect(status).to.equal(200);
      longest.push(Math.max(...asked.filter((milliseconds) => milliseconds !== A_LOOK)));
      performance.now = () => now.call(performance) + 10_000;
    }
    performance.now = now;
    expect(longest).to.deep.equal([4_000, 1_800, 1_800, 2_800, 4_000]);
  });

  describe("on trial", () => {
    it("asks no operator, and admits nobody, on other ports than its settings name", async () => {
      const { url, adminUrl } = await signer.start({ ...confirming(), admin: { port: 9_583 } }, "trial");
      expect(existsSync(signer.file("confirm.sock"))).to.equal(false);
      expect(await signer.ask(tz3, attestation({ level: 5 }))).to.equal(403);
      for (const own of [url, adminUrl]) expect(new URL(own).port).not.to.be.oneOf(["6732", "9583"]);
    });

    it("makes no store where there is none, and says that it would be ready", async () => {
      await signer.start({}, "trial");
      expect(await signer.running.examine()).to.deep.equal({ ready: true, reasons: [] });
      expect(existsSync(signer.store)).to.equal(false);
    });
  });
});
