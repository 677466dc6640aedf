import { expect } from "chai";
import { Confirmations, type Operator } from "../../../signer/confirmation/confirmations.ts";
import { SignerError } from "../../../signer/errors.ts";
import { PrivateKey } from "../../../signer/key-files/private-key.ts";
import type { KeyPolicy } from "../../../signer/policy/policy.ts";
import { SigningService } from "../../../signer/signing/signing-service.ts";
import { Guard } from "../../../signer/watermark/guard.ts";
import { TrustedStore } from "../../../signer/watermark/trusted-store.ts";
import { sign } from "../../emulators/octez-client.ts";
import { transfer } from "../../fixtures/payloads.ts";
import { logLines } from "../../harness/log-lines.ts";
import { MemoryStore } from "../../harness/memory-store.ts";
import { rejection } from "../../harness/rejection.ts";
import { callOf, requestSettings } from "../../harness/request-settings.ts";
import { openSigningPort } from "../../harness/signing-port.ts";

/** A signer of one key, bound to the store `here`. @param storeId what the store has told */
function signerOf(
  storeId: string | undefined,
  rule: KeyPolicy = { allow: ["transaction"] },
  confirmations = new Confirmations({ logger: logLines().log }),
) {
  using made = PrivateKey.generate("P-256");
  const { publicKey } = made;
  let asked = 0;
  const key = {
    publicKey,
    location: "test",
    boundStoreId: "here",
    sign: async () => {
      asked += 1;
      throw new SignerError("vault-unavailable", "not in this test.");
    },
  };
  const store = new TrustedStore({ store: new MemoryStore("here"), clock: Date.now });
  const settings = { current: requestSettings({ policy: { default: rule, keys: new Map() } }) };
  const service = new SigningService({
    keyring: { keys: new Map([[publicKey.address, key]]), close: async () => {} },
    guard: new Guard({ store, maxStep: "off", minimalBlockDelay: 1, deadline: 500, clock: Date.now }),
    store: { id: storeId },
    settings,
    head: { of: () => undefined },
    confirmations,
    deadline: 500,
  });
  const { address } = publicKey;
  const ask = () => service.sign(callOf(settings.current, address, transfer({ source: address })));
  return { service, settings, address, ask, asked: () => asked };
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

  it("is judged by the newest policy once a person has approved it", async () => {
    const confirmations = new Confirmations({ logger: logLines().log });
    const rule: KeyPolicy = { allow: [], confirm: ["transaction"] };
    const { ask, asked, settings } = signerOf("here", rule, confirmations);
    const operator: Operator = {
      name: "slow",
      show: ({ id }) => {
        settings.current = requestSettings();
        queueMicrotask(() => confirmations.answer(operator, id, true));
      },
      withdraw: () => undefined,
    };
    confirmations.attach(operator);
    expect((await rejection(ask(), SignerError)).code).to.equal("request-not-allowed");
    expect(asked()).to.equal(0);
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

  it("reaches the key on its own", async () => {
    const { ask, asked } = signerOf("here");
    expect((await rejection(ask(), SignerError)).code).to.equal("vault-unavailable");
    expect(asked()).to.equal(1);
  });
});
