import { readFileSync } from "node:fs";
import { RemoteSigner } from "@taquito/remote-signer";
import { verifySignature } from "@taquito/utils";
import { expect } from "chai";
import { ERRORS, type ErrorCode, SignerError } from "../../../signer/errors.ts";
import { knownKeys, publicKey, sign } from "../../emulators/octez-client.ts";
import { FakeSigner, testKey } from "../../harness/fake-signer.ts";
import { openSigningPort, type SigningPort } from "../../harness/signing-port.ts";

/** Name of the error that a promise ends in; Taquito does not export the classes. */
function rejection(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "none",
    (error: Error) => error.name,
  );
}

for (const kind of ["tz2", "tz3"] as const) {
  describe(`clients of a ${kind} key`, () => {
    const key = testKey(kind);
    let signer: FakeSigner;
    let port: SigningPort;

    beforeEach(async () => {
      signer = await FakeSigner.with(key.sk);
      port = await openSigningPort(signer, { settings: { listKnownKeys: true } });
    });
    afterEach(() => port.server.stop());

    describe("Taquito's RemoteSigner", () => {
      it("reads the public key", async () => {
        expect(await new RemoteSigner(key.pkh, port.url).publicKey()).to.equal(key.pk);
      });

      it("signs what it puts its watermark before, and accepts the signature", async () => {
        const { prefixSig } = await new RemoteSigner(key.pkh, `${port.url}/prefix/`).sign("abcdef", Uint8Array.of(3));
        expect(signer.asked.map(({ payload }) => payload)).to.deep.equal(["03abcdef"]);
        expect(verifySignature("03abcdef", key.pk, prefixSig)).to.equal(true);
      });

      it("understands that a key is not here", async () => {
        const other = testKey(kind === "tz2" ? "tz3" : "tz2");
        const remote = new RemoteSigner(other.pkh, port.url);
        for (const asked of [remote.publicKey(), remote.sign("abcdef")]) {
          expect(await rejection(asked)).to.equal("PublicKeyNotFoundError");
        }
      });

      it("understands a refusal by policy, and bad data", async () => {
        const remote = new RemoteSigner(key.pkh, port.url);
        signer.before = () => {
          throw new SignerError("request-not-allowed", "transaction");
        };
        expect(await rejection(remote.sign("abcdef"))).to.equal("OperationNotAuthorized");
        signer.before = () => {
          throw new SignerError("malformed-payload", "byte 1");
        };
        expect(await rejection(remote.sign("abcdef"))).to.equal("BadSigningData");
        expect(await rejection(remote.sign(""))).to.equal("BadSigningData");
      });

      it("has the words of a refusal where docs/symptoms.md says: in the error's message, or in its cause", async () => {
        const remote = new RemoteSigner(key.pkh, port.url);
        const places = new Map<number, string>();
        for (const [code, { status }] of Object.entries(ERRORS) as [ErrorCode, { readonly status: number }][]) {
          signer.before = () => {
            throw new SignerError(code, "the words");
          };
          const error = (await remote.sign("abcdef").catch((error) => error)) as Error & { readonly cause?: Error };
          const told = [error.message, error.cause?.message ?? ""].map((text) => text.includes("the words"));
          places.set(status, ["message", "cause"][told.indexOf(true)] ?? "nowhere");
        }
        expect([...places.values()]).not.to.include("nowhere");
        const inCause = [...places].filter(([, place]) => place === "cause").map(([status]) => status);
        const page = readFileSync(new URL("../../../docs/symptoms.md", import.meta.url), "utf8");
        const [, named = ""] = /but those of a ([\d, or]+) in its `cause`/.exec(page) ?? [];
        expect(inCause).to.have.members((named.match(/\d+/g) ?? []).map(Number));
      });

      it("would notice a wrong signature or a wrong key, so the tests above prove something", async () => {
        const remote = new RemoteSigner(key.pkh, port.url);
        const real = signer.sign.bind(signer);
        signer.sign = (call) => real({ ...call, payload: Uint8Array.of(...call.payload, 0) });
        expect(await rejection(remote.sign("abcdef"))).to.equal("SignatureVerificationFailedError");
        signer.sign = real;
        signer.publicKey = () => testKey(kind === "tz2" ? "tz3" : "tz2").pk;
        expect(await rejection(remote.sign("abcdef"))).to.equal("PublicKeyVerificationFailedError");
      });
    });

    describe("an octez-shaped client", () => {
      it("signs with two requests, reads the public key and lists the keys", async () => {
        const { status, signature, attempts } = await sign(port.url, key.pkh, "1300ff");
        expect([status, attempts]).to.deep.equal([200, 1]);
        expect(verifySignature("1300ff", key.pk, signature ?? "")).to.equal(true);
        expect(await publicKey(`${port.url}/prefix`, key.pkh)).to.equal(key.pk);
        expect(await knownKeys(port.url)).to.deep.equal([key.pkh]);
      });

      it("asks again after 502 until it has its signature", async () => {
        let faults = 3;
        signer.before = () => {
          if (faults-- > 0) throw new SignerError("vault-unavailable", "no answer in 2 s");
        };
        expect(await sign(port.url, key.pkh, "1300ff")).to.include({ status: 200, attempts: 4 });
      });

      it("gives up after its retries and shows the message", async () => {
        signer.before = () => {
          throw new SignerError("vault-unavailable", "no answer in 2 s");
        };
        const message = "The key did not answer in time; ask again: no answer in 2 s";
        const result = await sign(port.url, key.pkh, "1300ff", { retries: 2 });
        expect(result).to.deep.equal({ status: 502, message, attempts: 3 });
      });

      it("shows a conflict at once, without asking again", async () => {
        signer.before = () => {
          throw new SignerError("position-already-signed", "level 7, round 0");
        };
        expect(await sign(port.url, key.pkh, "1300ff")).to.include({ status: 409, attempts: 1 });
      });

      it("says so when it has no authorized key", async () => {
        await port.server.stop();
        port = await openSigningPort(signer, { settings: { authentication: { keys: [testKey("tz3").pk] } } });
        expect((await sign(port.url, key.pkh, "1300ff")).message).to.include(
          "no authorized key was found in the wallet",
        );
        expect(signer.asked).to.deep.equal([]);
      });
    });

    it("Node's fetch is no web page", async () => {
      const answer = await fetch(`${port.url}/keys/${key.pkh}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: '"1300ff"',
      });
      expect(answer.status).to.equal(200);
    });
  });
}
