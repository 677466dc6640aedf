import { expect } from "chai";
import { Confirmations } from "../../../signer/confirmation/confirmations.ts";
import { SignerError } from "../../../signer/errors.ts";
import { PrivateKey } from "../../../signer/key-files/private-key.ts";
import { Metrics } from "../../../signer/observability/metrics.ts";
import { History } from "../../../signer/observability/recent-activity.ts";
import type { KeyPolicy } from "../../../signer/policy/policy.ts";
import { Pipeline } from "../../../signer/signing/signing-service.ts";
import { Guard } from "../../../signer/watermark/guard.ts";
import { TrustedStore } from "../../../signer/watermark/trusted-store.ts";
import { sign } from "../../emulators/octez-client.ts";
import { transfer } from "../../fixtures/payloads.ts";
import { logLines } from "../../harness/log-lines.ts";
import { MemoryStore } from "../../harness/memory-store.ts";
import { rejection } from "../../harness/rejection.ts";
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
    policy: () => ({ default: rule, keys: new Map() }),
    head: () => undefined,
    confirmations,
    logger: log,
    metrics: new Metrics(),
    history: new History(),
    deadline: 500,
  });
  const client = { address: "127.0.0.1", gone: new AbortController().signal };
  const ask = () => pipeline.sign(publicKey.address, transfer({ source: publicKey.address }), client);
  return { pipeline, address: publicKey.address, ask, asked: () => asked };
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
    const { pipeline, address, asked } = signerOf("here", { allow: [], confirm: ["transaction"] }, confirmations);
    const port = await openSigningPort(pipeline);
    const answer = await sign(port.url, address, transfer({ source: address }).toString("hex"));
    expect(answer.status).to.equal(403);
    expect(answer.message).to.contain("nobody answered in time");
    expect(seen).to.deep.equal(["asked", "nobody answered in time"]);
    expect(asked()).to.equal(0);
    await port.server.stop();
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
