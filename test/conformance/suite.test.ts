import { expect } from "chai";
import { attestation, block, preattestation } from "../fixtures/payloads.ts";
import { KEY_BACKENDS } from "../harness/key-backends.ts";
import { MemoryStore } from "../harness/memory-store.ts";
import { ServiceSigner } from "../harness/service-signer.ts";
import { needsSecond, runFile, type Subject, suiteFiles } from "./suite.ts";

const CURVES = ["P-256", "P-256K"] as const;
const CHAIN = "NetXnHfVqm9iesp";

type Second = ReturnType<ServiceSigner["second"]>;

function subjectOf(signer: ServiceSigner, second?: Second): Subject {
  const asking = (service?: Second) => async (payload: string) => {
    const answer = await signer.ask(Buffer.from(payload, "hex"), service);
    return typeof answer === "string" ? answer : undefined;
  };
  return {
    sign: asking(),
    second: second && asking(second),
    restart: () => signer.restart(),
  };
}

/** @returns what was wrong, and how much was asked, in the files whose name has this in it */
async function runAll(subject: Subject, name = ""): Promise<{ decisions: number; failures: string[] }> {
  const all = { decisions: 0, failures: [] as string[] };
  for (const { content } of suiteFiles().filter(({ content }) => content.name.includes(name))) {
    if (subject.second === undefined && needsSecond(content)) continue;
    const { decisions, failures } = await runFile(content, subject);
    all.decisions += decisions;
    all.failures.push(...failures);
  }
  return all;
}

describe("public suite", function () {
  this.timeout(60_000);

  for (const [backend, curve] of KEY_BACKENDS.flatMap((each) => CURVES.map((name) => [each, name] as const))) {
    it(`is passed by this signer with ${backend.name} keys, ${curve}: at least 60 files and 250 decisions`, async function () {
      backend.requires(this);
      await using signer = await ServiceSigner.make(curve, { maxStep: "off", backend });
      const { decisions, failures } = await runAll(subjectOf(signer));
      expect(failures).to.deep.equal([]);
      expect(decisions).to.be.at.least(250);
      expect(suiteFiles().length).to.be.at.least(60);
    });
  }

  it("is passed by two signers of one key on one store, with the files that ask both", async () => {
    await using signer = await ServiceSigner.make("P-256", { maxStep: "off", shared: new MemoryStore() });
    const { decisions, failures } = await runAll(subjectOf(signer, signer.second()));
    expect(failures).to.deep.equal([]);
    expect(decisions).to.be.at.least(400);
  });

  describe("held to a broken signer", () => {
    it("catches two signers of one key with a memory each", async () => {
      await using signer = await ServiceSigner.make("P-256", { maxStep: "off" });
      await using other = await ServiceSigner.make("P-256", { maxStep: "off", shared: new MemoryStore() });
      const broken = { ...subjectOf(signer), second: subjectOf(other).sign };
      const { failures } = await runAll(broken, "two signers");
      expect(failures.join("\n")).to.include("block - two signers: other bytes at the other one, step 1: signed");
      expect(failures.join("\n")).to.include(
        "attestation - two signers: what the other one has passed, step 3: signed",
      );
    });

    it("tags 21 and 23 as separate classes", async () => {
      await using plain = await ServiceSigner.make("P-256", { maxStep: "off" });
      await using dal = await ServiceSigner.make("P-256", { maxStep: "off" });
      const broken: Subject = {
        sign: (payload) => subjectOf(Buffer.from(payload, "hex")[37] === 23 ? dal : plain).sign(payload),
        restart: async () => {
          await plain.restart();
          await dal.restart();
        },
      };
      const { failures } = await runAll(broken, "attestation and attestation with DAL are one");
      expect(failures.join("\n")).to.include("attestation and attestation with DAL are one, step 1: signed");
    });

    it("catches a watermark that a malformed payload moves", async () => {
      await using signer = await ServiceSigner.make("P-256", { maxStep: "off" });
      const { sign, restart } = subjectOf(signer);
      const broken: Subject = {
        restart,
        async sign(payload) {
          const answer = await sign(payload);
          const bytes = Buffer.from(payload, "hex");
          if (answer !== undefined || bytes.length < 44) return answer;
          // Level and round by their place, before it is known whether the rest is well-formed.
          const level = bytes.readInt32BE(bytes[0] === 0x11 ? 5 : 40);
          const make = { 17: block, 18: preattestation, 19: attestation }[bytes[0] ?? 0];
          if (make !== undefined && level > 0) await signer.ask(make({ chainId: CHAIN, level }));
          return undefined;
        },
      };
      const { failures } = await runAll(broken, "block - bytes after the end");
      expect(failures.join("\n")).to.include("block - bytes after the end, step 2: refused (the mark did not move)");
    });

    it("catches a watermark that a restart forgets", async () => {
      let signer = await ServiceSigner.make("P-256", { maxStep: "off" });
      const broken: Subject = {
        sign: (payload) => subjectOf(signer).sign(payload),
        restart: async () => {
          await signer[Symbol.asyncDispose]();
          signer = await ServiceSigner.make("P-256", { maxStep: "off" });
        },
      };
      const { failures } = await runAll(broken, "the mark outlives a restart");
      await signer[Symbol.asyncDispose]();
      expect(failures.join("\n")).to.include("the mark outlives a restart, step 2: signed");
    });

    it("catches a block's bytes that are signed anew each time", async () => {
      await using signer = await ServiceSigner.make("P-256", { maxStep: "off" });
      const { sign, restart } = subjectOf(signer);
      let count = 0;
      const broken: Subject = {
        restart,
        sign: async (payload) => {
          const answer = await sign(payload);
          return answer === undefined ? undefined : `${answer}${count++}`;
        },
      };
      const { failures } = await runAll(broken, "block - the same bytes get the same signature");
      expect(failures.join("\n")).to.include(
        "block - the same bytes get the same signature, step 1: another signature",
      );
    });
  });
});
