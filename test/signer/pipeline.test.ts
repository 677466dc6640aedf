import { expect } from "chai";
import { Confirmations } from "../../signer/confirmation/confirmations.ts";
import { SignerError } from "../../signer/errors.ts";
import { History } from "../../signer/history.ts";
import { PrivateKey } from "../../signer/keys/private-key.ts";
import { Metrics } from "../../signer/metrics.ts";
import { Pipeline } from "../../signer/pipeline.ts";
import { Guard } from "../../signer/watermark/guard.ts";
import { TrustedStore } from "../../signer/watermark/trusted-store.ts";
import { logLines } from "../support/log-lines.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { transfer } from "../support/payloads.ts";
import { rejection } from "../support/rejection.ts";

/** A signer of one key, bound to the store `here`, that may transfer. @param storeId what the store has told */
function signerOf(storeId: string | undefined) {
  using made = PrivateKey.generate("P-256");
  const { publicKey } = made;
  let asked = 0;
  const key = {
    publicKey,
    location: "test",
    store: "here",
    sign: async () => {
      asked += 1;
      throw new SignerError("vault-unavailable", "not in this test.");
    },
  };
  const { log } = logLines();
  const store = new TrustedStore({ store: new MemoryStore("here"), clock: Date.now });
  const pipeline = new Pipeline({
    keyring: { keys: new Map([[publicKey.address, key]]), close: async () => {} },
    guard: new Guard({ store, maxStep: "off", deadline: 500, clock: Date.now }),
    storeId: () => storeId,
    policy: () => ({ default: { allow: ["transaction"] }, keys: new Map() }),
    head: () => undefined,
    confirmations: new Confirmations({ logger: log }),
    logger: log,
    metrics: new Metrics(),
    history: new History(),
    deadline: 500,
  });
  const client = { address: "127.0.0.1", gone: new AbortController().signal };
  const ask = () => pipeline.sign(publicKey.address, transfer({ source: publicKey.address }), client);
  return { ask, asked: () => asked };
}

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
