import { expect } from "chai";
import { signVerified } from "../../../../signer/keys/verified-signature.ts";
import { closeRig, type Rig, startRig } from "./vault-rig.ts";

const digest = Buffer.alloc(32, 7);

describe("a vault that is late", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await startRig({ rediscover: 60_000 });
    await sign();
    rig.vault.resetCalls();
  });
  afterEach(() => closeRig(rig));

  const sign = (milliseconds = 15_000) => signVerified(rig.key(), digest, AbortSignal.timeout(milliseconds));
  const faults = () => rig.lines.filter((line) => line.fault !== undefined);

  it("is asked once more on another connection, long before the try is over", async () => {
    for (const kind of ["stall-headers", "stall-body"] as const) {
      for (let answers = 0; answers < 50; answers += 1) await sign();
      rig.vault.resetCalls();
      rig.vault.faults.script([{ kind, on: "sign" }]);
      expect(await sign()).to.have.length(64); // one try has 20 s here, and the request 15
      expect(rig.vault.calls.sign).to.equal(2);
    }
    expect(faults()).to.deep.equal([]);
  });

  it("gives the second answer where the first is a fault, and the first where the second is one", async () => {
    rig.vault.faults.script([
      { kind: "delay", ms: 1_000, on: "sign" },
      { kind: "status", status: 503, on: "sign" },
    ]);
    expect(await sign()).to.have.length(64);
    expect(rig.vault.calls.sign).to.equal(2);
    expect(faults()).to.deep.equal([]);
  });

  it("keeps the connection of an answer that came in time", async () => {
    const { accepted } = rig.vault.connections;
    for (let answers = 0; answers < 20; answers += 1) await sign();
    expect(rig.vault.connections.accepted).to.equal(accepted);
  });

  it("is asked no second question while it throttles", async () => {
    rig.vault.faults.script([
      { kind: "status", status: 429, on: "sign" },
      { kind: "stall-headers", on: "sign" },
    ]);
    expect(await sign(1_500).catch((error: Error) => error)).to.be.instanceOf(Error);
    expect(rig.vault.calls.sign).to.equal(2);
  });

  it("is asked five second questions at most, though none is answered", async () => {
    rig.vault.faults.rate([{ kind: "stall-headers", on: "sign", rate: 1 }]);
    for (let tries = 0; tries < 8; tries += 1) {
      expect(await sign(600).catch((error: Error) => error)).to.be.instanceOf(Error);
    }
    // On a busy computer a try may end before its second question: patience.test.ts counts them.
    expect(rig.vault.calls.sign).to.be.within(9, 13);
  });
});
