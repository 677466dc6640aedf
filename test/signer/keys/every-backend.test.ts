import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { attestation, block } from "../../fixtures/payloads.ts";
import { KEY_BACKENDS } from "../../harness/key-backends.ts";
import { ServiceSigner } from "../../harness/service-signer.ts";

/**
 * What a signer does whatever its keys' backend does: the suite that a new one passes (docs/extending.md), besides the public
 * suite of test/conformance/ and test/signer/backends.test.ts, which run on each backend too.
 */
for (const backend of KEY_BACKENDS.filter(({ misbehaves }) => misbehaves)) {
  describe(`a signer whose ${backend.name} keys misbehave`, function () {
    this.timeout(120_000);
    let signer: ServiceSigner;
    let level = 100;

    /** Asks for the same bytes, as octez does after a 502, until they are signed. */
    const untilSigned = async (payload: Buffer) => {
      for (;;) {
        const answer = await signer.ask(payload);
        if (typeof answer === "string") return answer;
        expect(answer).to.equal(502);
        await sleep(50);
      }
    };

    before(async function () {
      backend.requires(this);
      signer = await ServiceSigner.make("P-256", { maxStep: "off", backend });
    });
    afterEach(() => signer.place.fault?.(undefined));
    after(() => signer?.[Symbol.asyncDispose]());

    it("answers 502 while the key is away, refuses other bytes all the same, and signs when it is back", async () => {
      level += 1;
      signer.place.fault?.("away");
      const payload = block({ level });
      expect(await signer.ask(payload)).to.equal(502);
      expect(await signer.ask(block({ level, timestamp: 5n }))).to.equal(409);
      signer.place.fault?.(undefined);
      const signature = await untilSigned(payload);
      expect(await signer.ask(payload)).to.equal(signature);
    });

    it("answers 502 at the deadline where the key hangs, and signs when it does not any more", async () => {
      level += 1;
      const payload = attestation({ level });
      signer.place.fault?.("hangs");
      expect(await signer.refusal(payload)).to.equal("vault-unavailable");
      signer.place.fault?.(undefined);
      await untilSigned(payload);
    });

    it("lets no signature out, and keeps none, that the key got wrong", async () => {
      level += 1;
      signer.place.fault?.("wrong-signature");
      const payload = block({ level });
      expect(await signer.refusal(payload)).to.equal("signature-invalid");
      signer.place.fault?.(undefined);
      await untilSigned(payload);
    });

    it("signs one of twenty conflicting votes while the key is away at times, and only one", async () => {
      level += 1;
      const votes = Array.from({ length: 20 }, (_, slot) => attestation({ level, slot }));
      signer.place.fault?.("away");
      const asked = votes.map((payload) => signer.ask(payload));
      signer.place.fault?.(undefined);
      const first = await Promise.all(asked);
      const second = await Promise.all(votes.map((payload) => signer.ask(payload)));
      const signed = votes.filter((_, at) => typeof first[at] === "string" || typeof second[at] === "string");
      expect(signed.length).to.be.at.most(1);
    });
  });
}
