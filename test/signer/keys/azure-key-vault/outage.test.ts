import { expect } from "chai";
import { closeRig, type Rig, SIGNER, startRig } from "./vault-rig.ts";

const DIGEST = new Uint8Array(32).fill(7);

describe("what a vault's keyring tells of its vault", () => {
  let rig: Rig;
  before(async () => {
    // Looks at the keys would end an outage, or begin one, before the test has looked.
    rig = await startRig({ rediscover: 600_000 });
  });
  after(() => closeRig(rig));

  const sign = (milliseconds: number) =>
    rig
      .key()
      .sign(DIGEST, AbortSignal.timeout(milliseconds))
      .catch(() => undefined);

  it("is when it last answered", () => {
    expect(rig.keyring.answeredAt?.()).to.be.closeTo(Date.now(), 60_000);
  });

  it("is an outage from a call that came to nothing until the next that is answered, and the faults by kind", async () => {
    expect(rig.keyring.outage?.()).to.equal(undefined);
    await rig.vault.goAway();
    await sign(300);
    expect(rig.keyring.outage?.()).to.contain(`${rig.vault.url} cannot be used now. The connection failed`);
    expect(rig.keyring.faults?.().get("connection")).to.be.above(0);
    await rig.vault.comeBack();
    expect(await sign(20_000)).to.have.length(64);
    expect(rig.keyring.outage?.()).to.equal(undefined);
  });

  it("is no outage where the vault refuses: that is told of the key", async () => {
    rig.vault.policies.grant(SIGNER.objectId, ["get", "list"]);
    await sign(20_000);
    expect(rig.key().refusal).to.contain("cannot sign");
    expect(rig.keyring.outage?.()).to.equal(undefined);
    expect(rig.keyring.faults?.().get("permission")).to.be.above(0);
  });
});
