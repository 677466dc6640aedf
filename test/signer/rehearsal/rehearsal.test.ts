import { expect } from "chai";
import { standInVault } from "../../../signer/keys/azure-key-vault/stand-in.ts";
import type { Keyring, StandInBackend } from "../../../signer/keys/keyring.ts";
import { Rehearsal } from "../../../signer/rehearsal/rehearsal.ts";
import { PAYLOADS, scenes } from "../../../signer/rehearsal/stand-ins.ts";
import { CURVES } from "../../../signer/tezos/crypto/curve.ts";
import { blake2b256 } from "../../../signer/tezos/crypto/digest.ts";
import { parsePayload } from "../../../signer/tezos/payload/payload.ts";
import { attestation, block, preattestation } from "../../fixtures/payloads.ts";
import { logLines } from "../../harness/log-lines.ts";

/** A backend that counts what it is asked for, and whether it was closed. */
class Counted implements StandInBackend {
  readonly asked: string[] = [];
  isClosed = false;
  answer: (signature: Uint8Array) => Uint8Array = (signature) => signature;
  readonly key: StandInBackend["key"] = (publicKey, signature) => ({
    publicKey,
    location: "the test",
    sign: async () => {
      this.asked.push(publicKey.curve);
      return this.answer(signature);
    },
  });
  close(): void {
    this.isClosed = true;
  }
}

const [tz3, , , tz2] = scenes().map(({ publicKey }) => publicKey);
const keyringOf = (publicKey: typeof tz3): Keyring =>
  ({ keys: new Map([["any", { publicKey }]]), close: async () => undefined }) as unknown as Keyring;
const NEVER = () => Number.NEGATIVE_INFINITY;
const turns = (number: number) => Array.from({ length: number }, () => new Promise(setImmediate));
const until = async (condition: () => boolean) => {
  while (!condition()) await Promise.all(turns(1));
};

describe("what a rehearsal asks for", () => {
  it("is a preattestation, an attestation and a block as octez forges them", () => {
    expect(PAYLOADS).to.deep.equal(
      [preattestation, attestation, block].map((form) => form({ level: 1 }).toString("hex")),
    );
    expect(PAYLOADS.map((payload) => parsePayload(Buffer.from(payload, "hex")).type)).to.deep.equal(
      Array(3).fill("consensus"),
    );
  });

  it("has for each curve a signature of each, which another library verifies", () => {
    const all = scenes();
    expect(all.map(({ publicKey }) => publicKey.curve)).to.deep.equal([
      ...Array(3).fill("P-256"),
      ...Array(3).fill("P-256K"),
    ]);
    for (const { payload, publicKey, signature } of all) {
      const digest = blake2b256(Buffer.from(payload, "hex"));
      const { ecdsa } = CURVES[publicKey.curve];
      expect(ecdsa.verify(signature, digest, publicKey.bytes, { prehash: false, lowS: false })).to.equal(true);
    }
  });
});

describe("a rehearsal", () => {
  it("goes on where one of them fails", async () => {
    const backend = new Counted();
    const rehearsal = new Rehearsal({ logger: logLines().log, backend });
    backend.answer = (signature) => (backend.asked.length % 2 === 0 ? signature : signature.toReversed());
    rehearsal.keep(keyringOf(tz3), NEVER);
    await until(() => backend.asked.length > 12);
    expect(backend.isClosed).to.equal(false);
    rehearsal.stop();
  });

  it("asks the backend's own code, and leaves no line of log", async () => {
    const { log, lines } = logLines();
    const backend = new Counted();
    const rehearsal = new Rehearsal({ logger: log, backend });
    await rehearsal.during(Promise.all(turns(20)));
    rehearsal.stop();
    expect(backend.asked.length).to.be.greaterThan(0);
    expect(backend.isClosed).to.equal(true);
    expect(lines).to.deep.equal([]);
  });

  it("goes the whole way of a vault's key, on a connection that no socket is opened for", async () => {
    const { log, lines } = logLines();
    const rehearsal = new Rehearsal({ logger: log, backend: standInVault(log) });
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, 100);
    await rehearsal.during(promise);
    rehearsal.stop();
    expect(lines).to.deep.equal([]);
  });

  it("goes on between requests, with the curve of the keys that are served", async () => {
    const backend = new Counted();
    const rehearsal = new Rehearsal({ logger: logLines().log, backend });
    rehearsal.keep(keyringOf(tz2), NEVER);
    await until(() => backend.asked.length > 3);
    rehearsal.stop();
    expect(new Set(backend.asked)).to.deep.equal(new Set(["P-256K"]));
  });

  it("rests while requests come", async () => {
    const backend = new Counted();
    const rehearsal = new Rehearsal({ logger: logLines().log, backend });
    let looks = 0;
    rehearsal.keep(keyringOf(tz3), () => {
      looks += 1;
      return performance.now();
    });
    await until(() => looks > 3);
    rehearsal.stop();
    expect(backend.asked).to.deep.equal([]);
  });

  it("is given up where it fails five times in a row, with one line for whoever looks for it", async () => {
    const { log, lines } = logLines();
    const backend = new Counted();
    backend.answer = (signature) => signature.toReversed();
    const rehearsal = new Rehearsal({ logger: log, backend });
    rehearsal.keep(keyringOf(tz3), NEVER);
    await until(() => backend.isClosed);
    await Promise.all(turns(20));
    expect(backend.asked).to.have.length(5);
    expect(lines.map(({ msg }) => msg)).to.deep.equal(["the way of a request is not kept warm any more"]);
    expect(lines[0]?.error).to.equal("Error: it ends with HTTP/1.1 502 Bad Gateway");
  });
});
