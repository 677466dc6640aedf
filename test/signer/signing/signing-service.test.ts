import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { InMemorySigner } from "@taquito/signer";
import { expect } from "chai";
import { Confirmations } from "../../../signer/confirmation/confirmations.ts";
import type { Operator } from "../../../signer/confirmation/question.ts";
import { type ErrorCode, SignerError } from "../../../signer/errors.ts";
import { PrivateKey } from "../../../signer/key-files/private-key.ts";
import type { SigningKey } from "../../../signer/keys/keyring.ts";
import type { KeyPolicy } from "../../../signer/policy/policy.ts";
import { signingCall } from "../../../signer/signing/request-context.ts";
import { SigningService } from "../../../signer/signing/signing-service.ts";
import { decode } from "../../../signer/tezos/crypto/base58.ts";
import { Guard } from "../../../signer/watermark/guard.ts";
import { TrustedStore } from "../../../signer/watermark/trusted-store.ts";
import { sign } from "../../emulators/octez-client.ts";
import { attestation, block, transfer } from "../../fixtures/payloads.ts";
import { NEVER } from "../../fixtures/watermark-rows.ts";
import { allAt } from "../../harness/guarded-signer.ts";
import { logLines } from "../../harness/log-lines.ts";
import { MemoryStore } from "../../harness/memory-store.ts";
import { rejection } from "../../harness/rejection.ts";
import { callOf, requestSettings } from "../../harness/request-settings.ts";
import { ServiceSigner } from "../../harness/service-signer.ts";
import { openSigningPort } from "../../harness/signing-port.ts";

/** The public key of a client that never asks here. */
const CLIENT = "edpkuBknW28nW72KG6RoHtYW7p12T6GKc7nAbwYX5m8Wd9sDVC9yav";

/** Confirmations with a person who says yes, once something has happened. */
function approving() {
  const confirmations = new Confirmations({ logger: logLines().log });
  const approve = (meanwhile: () => void) => {
    const operator: Operator = {
      name: "slow",
      show: ({ id }) => {
        meanwhile();
        queueMicrotask(() => confirmations.answer(operator, id, true));
      },
      withdraw: () => undefined,
    };
    confirmations.attach(operator);
  };
  return { confirmations, approve };
}

/** A signer of one key, bound to the store `here`. @param storeId what the store has told */
function signerOf(
  storeId: string | undefined,
  rule: KeyPolicy = { allow: ["transaction"] },
  confirmations = new Confirmations({ logger: logLines().log }),
) {
  using made = PrivateKey.generate("P-256");
  const { publicKey } = made;
  let asked = 0;
  let looked = 0;
  let hidden: string | undefined;
  let sign = async (_signal: AbortSignal): Promise<Uint8Array> => {
    throw new SignerError("vault-unavailable", "not in this test.");
  };
  const key = {
    publicKey,
    location: "test",
    boundStoreId: "here",
    sign: (_digest: Uint8Array, signal: AbortSignal) => {
      asked += 1;
      return sign(signal);
    },
  };
  /** Has the key answer nothing until it is told that the time is over. @returns what it is told by */
  const hold = () => {
    const signals: AbortSignal[] = [];
    sign = async (signal) => {
      signals.push(signal);
      await once(signal, "abort");
      throw new SignerError("vault-unavailable", "the time is over.");
    };
    return signals;
  };
  const store = new TrustedStore({ store: new MemoryStore("here"), clock: Date.now });
  const settings = { current: requestSettings({ policy: { default: rule, keys: new Map() } }) };
  const keys = new Map<string, SigningKey>([[publicKey.address, key]]);
  const service = new SigningService({
    settingsHome: "file",
    keyring: {
      keys,
      refresh: () => {
        looked += 1;
      },
      unseen: () => hidden,
      close: async () => {},
    },
    guard: new Guard({ store, maxStep: "off", minimalBlockDelay: 1, budgets: allAt(500), clock: Date.now }),
    store: { id: storeId },
    settings,
    head: { of: () => undefined },
    confirmations,
    budget: 500,
  });
  const { address } = publicKey;
  const ask = () => service.sign(callOf(settings.current, address, transfer({ source: address })));
  const unseen = (reason: string | undefined) => {
    hidden = reason;
  };
  return { service, settings, address, keys, key, ask, hold, unseen, asked: () => asked, looked: () => looked };
}

describe("a transfer that waits for a person", () => {
  it("ends with a refusal for an octez-shaped client when nobody answers in time, and leaves the key unasked", async () => {
    const { log } = logLines();
    const confirmations = new Confirmations({ logger: log, patience: 200 });
    const seen: string[] = [];
    confirmations.attach({
      name: "silent",
      show: () => seen.push("asked"),
      withdraw: (_id, reason) => seen.push(reason),
    });
    const { service, settings, address, asked } = signerOf(
      "here",
      { allow: [], confirm: ["transaction"] },
      confirmations,
    );
    const port = await openSigningPort(service, { settings });
    const answer = await sign(port.url, address, transfer({ source: address }).toString("hex"));
    expect(answer.status).to.equal(403);
    expect(answer.message).to.contain("nobody answered in time");
    expect(seen).to.deep.equal(["asked", "nobody answered in time"]);
    expect(asked()).to.equal(0);
    await port.server.stop();
  });

  /** What may change while a person reads, each told to the signer before their yes. */
  const changes: [what: string, change: (signer: ReturnType<typeof signerOf>) => void, code: ErrorCode][] = [
    ["the policy lists it no more", ({ settings }) => (settings.current = requestSettings()), "request-not-allowed"],
    ["the key has gone", ({ keys }) => keys.clear(), "unknown-key"],
    [
      "the key is another store's",
      ({ keys, key, address }) => keys.set(address, { ...key, boundStoreId: "elsewhere" }),
      "watermark-untrusted",
    ],
    [
      "the key may be another store's",
      ({ keys, key, address }) => keys.set(address, { ...key, bindingConflict: "two stores." }),
      "watermark-untrusted",
    ],
    [
      "the client's address is not allowed any more",
      ({ settings }) => (settings.current = { ...settings.current, allowedAddresses: ["203.0.113.7"] }),
      "address-not-allowed",
    ],
    [
      "a signature of the client is wanted",
      ({ settings }) => (settings.current = { ...settings.current, authentication: { keys: [CLIENT] } }),
      "authentication-missing",
    ],
  ];
  for (const [what, change, code] of changes) {
    it(`is refused after a person's yes where ${what} since it came`, async () => {
      const { confirmations, approve } = approving();
      const signer = signerOf("here", { allow: [], confirm: ["transaction"] }, confirmations);
      approve(() => change(signer));
      const port = await openSigningPort(signer.service, { settings: signer.settings });
      await sign(port.url, signer.address, transfer({ source: signer.address }).toString("hex"));
      await port.server.stop();
      expect(port.lines.map(({ verdict }) => verdict).filter(Boolean)).to.deep.equal([code]);
      expect(signer.asked()).to.equal(0);
    });
  }

  it("is refused after a person's yes where the key that signed for the client is not authorized any more", async () => {
    const { confirmations, approve } = approving();
    const signer = signerOf("here", { allow: [], confirm: ["transaction"] }, confirmations);
    const client = new InMemorySigner("p2sk2fMr5KdWtUJrKsLaXjCmEZBEyotHsXjUJg3C4Ea9DHSuQKJZMh");
    signer.settings.current = { ...signer.settings.current, authentication: { keys: [await client.publicKey()] } };
    approve(() => (signer.settings.current = { ...signer.settings.current, authentication: { keys: [CLIENT] } }));
    const port = await openSigningPort(signer.service, { settings: signer.settings });
    const payload = transfer({ source: signer.address }).toString("hex");
    await sign(port.url, signer.address, payload, { authenticate: client });
    await port.server.stop();
    expect(port.lines.map(({ verdict }) => verdict).filter(Boolean)).to.deep.equal(["authentication-invalid"]);
    expect(signer.asked()).to.equal(0);
  });

  it("is signed by the key as it is after the yes, and not as it was", async () => {
    const { confirmations, approve } = approving();
    const signer = signerOf("here", { allow: [], confirm: ["transaction"] }, confirmations);
    const signed: string[] = [];
    const sign = async () => {
      signed.push("the new one");
      throw new SignerError("vault-unavailable", "not in this test.");
    };
    approve(() => signer.keys.set(signer.address, { ...signer.key, sign }));
    expect((await rejection(signer.ask(), SignerError)).code).to.equal("vault-unavailable");
    expect(signed).to.deep.equal(["the new one"]);
    expect(signer.asked()).to.equal(0);
  });

  it("asks nobody while the store of the key is not known", async () => {
    const confirmations = new Confirmations({ logger: logLines().log });
    const shown: number[] = [];
    confirmations.attach({ name: "ready", show: ({ id }) => shown.push(id), withdraw: () => undefined });
    const { ask } = signerOf(undefined, { allow: [], confirm: ["transaction"] }, confirmations);
    expect((await rejection(ask(), SignerError)).code).to.equal("watermark-unavailable");
    expect(shown).to.deep.equal([]);
  });
});

describe("an operation with a key that is bound to a store", () => {
  it("waits until the store has told which one it is", async () => {
    const { ask, asked } = signerOf(undefined);
    expect((await rejection(ask(), SignerError)).code).to.equal("watermark-unavailable");
    expect(asked()).to.equal(0);
  });

  it("is refused on another store", async () => {
    const { ask, asked } = signerOf("elsewhere");
    expect((await rejection(ask(), SignerError)).code).to.equal("watermark-untrusted");
    expect(asked()).to.equal(0);
  });

  it("is refused once its time is over, whatever the key does", async () => {
    const { ask, hold } = signerOf("here");
    const signals = hold();
    const answer = await Promise.race([rejection(ask(), SignerError), sleep(10_000)]);
    expect(answer?.code).to.equal("vault-unavailable");
    expect(signals.map(({ aborted }) => aborted)).to.deep.equal([true]);
  });

  it("of a key that is not here is refused, and the keyring is asked to look for it once more", async () => {
    const { service, settings, looked } = signerOf("here");
    const { address } = PrivateKey.generate("P-256K").publicKey;
    const asked = service.sign(callOf(settings.current, address, transfer({ source: address })));
    expect((await rejection(asked, SignerError)).code).to.equal("unknown-key");
    expect(looked()).to.equal(1);
  });

  it("reaches the key on its own", async () => {
    const { ask, asked } = signerOf("here");
    expect((await rejection(ask(), SignerError)).code).to.equal("vault-unavailable");
    expect(asked()).to.equal(1);
  });
});

describe("a block's signature that is kept in the store", () => {
  /** A signer that has signed a block, started anew on a row which holds another signature. */
  async function started(kept: (signer: ServiceSigner, own: string) => Promise<string>) {
    const signer = await ServiceSigner.make();
    expect(await signer.ask(PAYLOAD)).to.match(/^p2sig/);
    const [found] = await signer.store.list(NEVER);
    if (found === undefined) throw new Error("no row");
    const state = await signer.store.read(found.key, NEVER);
    const signature = await kept(signer, found.row.signature ?? "");
    await signer.store.replace(found.key, { ...found.row, signature }, state?.version ?? "", NEVER);
    await signer.restart();
    return signer;
  }

  const PAYLOAD = block({ level: 5 });
  const hexOf = (signature: string | number) => Buffer.from(decode(String(signature), "p2sig").bytes).toString("hex");
  const rows: [whose: string, kept: (signer: ServiceSigner, own: string) => Promise<string>][] = [
    [
      "of another key over the same bytes",
      async () => {
        await using other = await ServiceSigner.make();
        return hexOf(await other.ask(PAYLOAD));
      },
    ],
    [
      "of the same key over other bytes",
      async (signer) => hexOf(await signer.ask(block({ level: 4, chainId: "NetXnHfVqm9iesp" }))),
    ],
    ["that is none", async () => "00".repeat(64)],
    [
      "with one bit changed",
      async (_signer, own) => own.slice(0, -1) + (Number.parseInt(own.slice(-1), 16) ^ 1).toString(16),
    ],
    ["cut short", async (_signer, own) => own.slice(0, -2)],
  ];
  for (const [whose, kept] of rows) {
    it(`is not handed out where it is one ${whose}`, async () => {
      await using signer = await started(kept);
      expect(await signer.refusal(PAYLOAD)).to.equal("watermark-untrusted");
    });
  }

  it("is handed out where it is the key's own", async () => {
    await using signer = await started(async (_signer, own) => own);
    expect(await signer.ask(PAYLOAD)).to.match(/^p2sig/);
  });
});

describe("a key that is asked for and not there", () => {
  it("is called unknown only once it is known which keys there are, since octez asks again after a 502 alone", async () => {
    const { service, settings, address, keys, unseen, looked } = signerOf("here");
    keys.clear();
    unseen("The vault has not shown its keys yet.");
    const port = await openSigningPort(service, { settings });
    const payload = transfer({ source: address }).toString("hex");
    const shown = await fetch(`${port.url}/keys/${address}`);
    expect(shown.status).to.equal(502);
    expect(await shown.text()).to.include(`${address} may be here. The vault has not shown its keys yet.`);
    expect((await sign(port.url, address, payload, { retries: 0 })).status).to.equal(502);
    unseen(undefined);
    expect((await fetch(`${port.url}/keys/${address}`)).status).to.equal(404);
    expect((await sign(port.url, address, payload)).status).to.equal(404);
    expect(looked()).to.equal(4);
    await port.server.stop();
  });
});

describe("a client that hangs up", () => {
  it("cancels nothing: the key works on, and who asks for the same bytes gets its signature", async () => {
    using made = PrivateKey.generate("P-256");
    const { publicKey } = made;
    const { address } = publicKey;
    const asked = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    let times = 0;
    const key: SigningKey = {
      publicKey,
      location: "test",
      sign: async (digest, signal) => {
        times += 1;
        asked.resolve();
        await held.promise;
        signal.throwIfAborted();
        return made.sign(digest);
      },
    };
    const store = new TrustedStore({ store: new MemoryStore("here"), initialise: "always", clock: Date.now });
    const settings = requestSettings({ policy: { default: { allow: ["attestation"] }, keys: new Map() } });
    const service = new SigningService({
      settingsHome: "file",
      keyring: { keys: new Map([[address, key]]), close: async () => {} },
      guard: new Guard({ store, maxStep: "off", minimalBlockDelay: 1, budgets: allAt(60_000), clock: Date.now }),
      store,
      settings: { current: settings },
      head: { of: () => undefined },
      confirmations: new Confirmations({ logger: logLines().log }),
      budget: 60_000,
    });
    const payload = attestation({ level: 10 });
    const client = new AbortController();
    const origin = { settings, client: "127.0.0.1" };
    const left = service.sign(signingCall(origin, { address, payload, gone: client.signal }));
    await asked.promise;
    client.abort();
    const next = service.sign(callOf(settings, address, payload));
    held.resolve();
    const [first, second] = await Promise.all([left, next]);
    expect([second, await service.sign(callOf(settings, address, payload)), times]).to.deep.equal([first, first, 1]);
  });
});
