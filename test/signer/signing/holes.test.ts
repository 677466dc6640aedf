import { verifySignature } from "@taquito/utils";
import { expect } from "chai";
import { sign } from "../../emulators/octez-client.ts";
import { attestation, block, hash, int32, part, preattestation, vote } from "../../fixtures/payloads.ts";
import { ServiceSigner } from "../../harness/service-signer.ts";
import { openSigningPort } from "../../harness/signing-port.ts";

/** Each way to a second signature or a moved mark, closed: from the payload to the signature, on a real store. */
for (const curve of ["P-256", "P-256K"] as const) {
  const signature = curve === "P-256" ? /^p2sig/ : /^spsig1/;

  describe(`the whole way of a request (${curve}; one signer for all of these tests)`, () => {
    let signer: ServiceSigner;
    before(async () => {
      signer = await ServiceSigner.make(curve);
    });
    after(() => signer[Symbol.asyncDispose]());
    /** Each test begins above all the others. */
    let level = 1_000;
    beforeEach(async () => {
      level += 2;
      for (const payload of [block, preattestation, attestation]) {
        expect(await signer.ask(payload({ level }))).to.match(signature);
      }
      level += 1;
    });

    it("refuses an attestation with DAL content beside one without at the same position, in either order, with 409", async () => {
      expect(await signer.ask(attestation({ level }))).to.match(signature);
      expect(await signer.ask(attestation({ level, dal: 5n }))).to.equal(409);
      expect(await signer.ask(attestation({ level: level + 1, dal: 5n }))).to.match(signature);
      expect(await signer.ask(attestation({ level: level + 1 }))).to.equal(409);
    });

    it("refuses another DAL bitset at the same position with 409", async () => {
      expect(await signer.ask(attestation({ level, dal: 5n }))).to.match(signature);
      expect(await signer.ask(attestation({ level, dal: 7n }))).to.equal(409);
    });

    it("refuses another branch or another slot at the same position with 409", async () => {
      for (const payload of [preattestation, attestation]) {
        expect(await signer.ask(payload({ level }))).to.match(signature);
        expect(await signer.ask(payload({ level, branch: hash(9) }))).to.equal(409);
        expect(await signer.ask(payload({ level, slot: 9 }))).to.equal(409);
      }
    });

    it("refuses a different block at the same level and round with 409", async () => {
      expect(await signer.ask(block({ level }))).to.match(signature);
      expect(await signer.ask(block({ level, payloadHash: hash(9) }))).to.equal(409);
    });

    it("refuses a different block at a lower round or level with 409", async () => {
      expect(await signer.ask(block({ level, round: 3 }))).to.match(signature);
      expect(await signer.ask(block({ level, round: 2 }))).to.equal(409);
      expect(await signer.ask(block({ level: level - 1, round: 9 }))).to.equal(409);
    });

    it("refuses a block that only differs in its proof-of-work nonce, as a second baker's would, with 409", async () => {
      expect(await signer.ask(block({ level }))).to.match(signature);
      expect(await signer.ask(block({ level, proofOfWorkNonce: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) }))).to.equal(409);
    });

    it("gives the same block bytes the same signature, at once and after a restart", async () => {
      const payload = block({ level });
      const first = await signer.ask(payload);
      expect(first).to.match(signature);
      expect(await signer.ask(payload)).to.equal(first);
      await signer.restart();
      expect(await signer.ask(payload)).to.equal(first);
    });

    it("gives twenty identical blocks at once one signature", async () => {
      const payload = block({ level });
      const all = await Promise.all(Array.from({ length: 20 }, () => signer.ask(payload)));
      expect(new Set(all).size).to.equal(1);
    });

    it("places a block by its fitness round; its payload round changes nothing", async () => {
      expect(await signer.ask(block({ level, round: 6, payloadRound: 5 }))).to.match(signature);
      expect(await signer.ask(block({ level, round: 6, payloadRound: 6 }))).to.equal(409);
      expect(await signer.ask(block({ level, round: 5, payloadRound: 5 }))).to.equal(409);
      expect(await signer.ask(block({ level, round: 7, payloadRound: 0 }))).to.match(signature);
    });

    it("refuses a negative level with 400, whatever came before", async () => {
      for (const negative of [-1, -1_000, -(2 ** 31)]) {
        for (const payload of [block, preattestation, attestation]) {
          expect(await signer.ask(payload({ level: negative }))).to.equal(400);
        }
      }
      expect(await signer.ask(block({ level: level - 1, payloadHash: hash(9) }))).to.equal(409);
    });

    it("refuses a negative round with 400, whatever came before", async () => {
      for (const negative of [-1, -(2 ** 31)]) {
        for (const payload of [block, preattestation, attestation]) {
          expect(await signer.ask(payload({ level, round: negative }))).to.equal(400);
        }
      }
    });

    it("refuses trailing bytes, one or many, with 400, and the mark stays", async () => {
      const marks = await signer.marks();
      for (const payload of [block({ level }), preattestation({ level }), attestation({ level })]) {
        for (const more of [1, 4, 1_000]) {
          expect(await signer.ask(Buffer.concat([payload, Buffer.alloc(more)]))).to.equal(400);
        }
      }
      expect(await signer.marks()).to.equal(marks);
    });

    it("refuses a payload without its last byte with 400", async () => {
      for (const payload of [block({ level }), preattestation({ level }), attestation({ level, dal: 300n })]) {
        expect(await signer.ask(payload.subarray(0, -1))).to.equal(400);
      }
    });

    it("refuses a plain attestation with a bitset behind it, and a DAL one without, with 400", async () => {
      expect(await signer.ask(Buffer.concat([vote(0x13, 21, { level }), Buffer.from([5])]))).to.equal(400);
      expect(await signer.ask(vote(0x13, 23, { level }))).to.equal(400);
    });

    it("refuses a vote under the other magic byte, or with the tag of another kind of key, with 400", async () => {
      for (const [magic, tag] of [
        [0x12, 21],
        [0x12, 23],
        [0x13, 20],
        [0x12, 40],
        [0x13, 41],
      ] as const) {
        expect(await signer.ask(vote(magic, tag, { level })), `${magic} ${tag}`).to.equal(400);
      }
    });

    it("refuses blocks and endorsements of before Tenderbake with 400", async () => {
      for (const magic of [0x01, 0x02]) {
        const payload = Buffer.from(block({ level }));
        payload[0] = magic;
        expect(await signer.ask(payload)).to.equal(400);
      }
    });

    it("refuses a fitness of another level, version or length with 400, and the mark stays", async () => {
      const marks = await signer.marks();
      expect(await signer.ask(block({ level, fitnessLevel: level + 1 }))).to.equal(400);
      expect(await signer.ask(block({ level, fitnessVersion: 1 }))).to.equal(400);
      for (const fitness of [
        part(),
        part(part(Buffer.from([2]))),
        part(part(Buffer.from([2])), part(int32(level)), part(), part(int32(-1)), part(int32(0)), part(int32(0))),
        part(part(Buffer.from([2])), part(int32(level)), part(Buffer.from([1])), part(int32(-1)), part(int32(0))),
      ]) {
        const plain = block({ level });
        const length = plain.readInt32BE(83);
        const changed = Buffer.concat([plain.subarray(0, 83), fitness, plain.subarray(87 + length)]);
        expect(await signer.ask(changed)).to.equal(400);
      }
      expect(await signer.marks()).to.equal(marks);
    });

    it("refuses a jump to the highest level there is with 409, and can still sign the next level", async () => {
      for (const payload of [block, preattestation, attestation]) {
        expect(await signer.ask(payload({ level: 2 ** 31 - 1 }))).to.equal(409);
        expect(await signer.ask(payload({ level: level + 1 }))).to.match(signature);
      }
    });

    it("signs the next level after the highest round there is", async () => {
      expect(await signer.ask(block({ level, round: 2 ** 31 - 1 }))).to.match(signature);
      expect(await signer.ask(block({ level: level + 1 }))).to.match(signature);
    });

    it("signs in legitimate order: a block after the votes of its level, a proposal again at a higher round", async () => {
      expect(await signer.ask(attestation({ level }))).to.match(signature);
      expect(await signer.ask(block({ level }))).to.match(signature);
      expect(await signer.ask(preattestation({ level }))).to.match(signature);
      expect(await signer.ask(block({ level, round: 1, lockedRound: 0, payloadRound: 0 }))).to.match(signature);
    });

    it("reads a payload the same way whatever `version` is in the query", async () => {
      const port = await openSigningPort(signer.service, { settings: signer.settings });
      const ask = async (payload: Buffer, query: string) => {
        const response = await fetch(`${port.url}/keys/${signer.address}${query}`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(payload.toString("hex")),
        });
        return response.status;
      };
      expect(await ask(attestation({ level }), "?version=0")).to.equal(200);
      for (const version of ["", "?version=0", "?version=1", "?version=2", "?version=3"]) {
        expect(await ask(attestation({ level, dal: 5n }), version), version).to.equal(409);
        expect(await ask(attestation({ level, payloadHash: hash(9) }), version), version).to.equal(409);
      }
      await port.server.stop();
    });

    it("releases a signature by the key itself of the bytes that were asked, as Taquito judges it", async () => {
      const port = await openSigningPort(signer.service, { settings: signer.settings });
      const payload = block({ level }).toString("hex");
      const released = (await sign(port.url, signer.address, payload)).signature ?? "";
      const publicKey = signer.service.publicKey(signer.address);
      expect(verifySignature(payload, publicKey, released)).to.equal(true);
      expect(verifySignature(block({ level: level + 1 }).toString("hex"), publicKey, released)).to.equal(false);
      await port.server.stop();
    });
  });
}

describe("a key bound to another watermark store", () => {
  it("signs no block and no vote, not even in the request that is the first to reach the store", async () => {
    await using signer = await ServiceSigner.make("P-256", { boundTo: "another store" });
    for (const payload of [block, preattestation, attestation]) {
      expect(await signer.ask(payload())).to.equal(500);
      expect(await signer.ask(payload())).to.equal(500);
    }
  });
});

describe("malformed payloads", () => {
  it("never move a mark, and get no signature: 5,000 mutations of well-formed ones", async function () {
    this.timeout(60_000);
    await using signer = await ServiceSigner.make();
    const forms = [
      block({ level: 50 }),
      block({ level: 50, lockedRound: 0, seedNonceHash: hash(7) }),
      preattestation({ level: 50 }),
      attestation({ level: 50 }),
      attestation({ level: 50, dal: 123_456n }),
    ];
    for (const form of [block, preattestation, attestation]) await signer.ask(form({ level: 50, round: 1 }));
    const marks = await signer.marks();
    let state = 0x2545f491;
    const random = (below: number) => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return (state >>> 0) % below;
    };
    const answers = new Map<string | number, number>();
    for (let count = 0; count < 5_000; count++) {
      const form = forms[count % forms.length] ?? Buffer.alloc(0);
      const mutant = malform(form, random);
      const answer = await signer.ask(mutant);
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
      expect([400, 403, 409], mutant.toString("hex")).to.include(answer);
    }
    expect(await signer.marks()).to.equal(marks);
    // Most are malformed; the rest stay well-formed, at or below the mark, or on a chain of their own making.
    expect(answers.get(400)).to.be.greaterThan(3_500);
  });
});

/** One thing wrong: cut, lengthened, a structural byte changed. The level and the chain stay, so a signature would be a hole. */
function malform(form: Buffer, random: (below: number) => number): Buffer {
  // Bytes taken out of the middle of a DAL attestation can leave a well-formed one of another position.
  const ways = form[37] === 23 ? [0, 1, 3] : [0, 1, 2, 3];
  switch (ways[random(ways.length)]) {
    case 0:
      return form.subarray(0, random(form.length));
    case 1:
      return Buffer.concat([form, Buffer.alloc(1 + random(40), random(256))]);
    case 2: {
      // Some bytes taken out of the middle.
      const from = 5 + random(form.length - 6);
      return Buffer.concat([form.subarray(0, from), form.subarray(from + 1 + random(form.length - from - 1))]);
    }
    default: {
      const changed = Buffer.from(form);
      // The magic byte, the fitness's lengths and parts, or an operation's tag.
      const places = form[0] === 0x11 ? [0, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95] : [0, 37];
      const at = places[random(places.length)] ?? 0;
      changed[at] = ((changed[at] ?? 0) + 1 + random(255)) % 256;
      return changed;
    }
  }
}
