import { expect } from "chai";
import { REPLACE_ANYWAY } from "../../../infra/capacity/before-replacing.ts";
import { MACHINE_REPLACED, requests } from "../stack.ts";
import { story } from "../story.ts";

const OTHER_IMAGE = "Canonical:ubuntu-26_04-lts:server:latest";
const PROTECTED = /unable to replace resource .*::machine".*marked for protection/s;

describe("a production machine that somebody would have replaced by Pulumi's own commands, one story whose tests follow on each other", function () {
  this.timeout(300_000);
  const signer = story({ name: "mainnet" });
  const { cloud } = signer;
  after(() => {
    delete process.env[REPLACE_ANYWAY];
  });

  /** Pulumi refuses, and the machine runs on. */
  async function isProtected(): Promise<void> {
    const before = signer.machines;
    const { failed, messages } = await signer.stack.up([await signer.urn("machine")]);
    expect(failed).to.equal(true);
    expect(messages).to.match(PROTECTED);
    expect(signer.machines).to.deep.equal(before);
    expect(requests(cloud)).to.deep.equal([]);
  }

  it("stays under pulumi up --replace, of which the program is told nothing, and under pulumi state taint", async () => {
    await isProtected();
    signer.stack.taint(await signer.urn("machine"));
    expect((await signer.stack.preview()).messages).to.match(PROTECTED);
    const { failed, messages } = await signer.stack.up();
    expect(failed).to.equal(true);
    expect(messages).to.match(PROTECTED);
    expect(requests(cloud)).to.deep.equal([]);
    signer.stack.untaint();
  });

  it("is replaced for another image, of which the program asks Azure, and is protected again after the next up", async () => {
    await signer.stack.configure({ image: OTHER_IMAGE });
    const { operations, failed, messages } = await signer.stack.up();
    expect(failed, messages).to.equal(false);
    expect(operations).to.have.members(MACHINE_REPLACED);
    expect((await signer.stack.up()).operations).to.deep.equal([]);
    cloud.calls.length = 0;
    await isProtected();
  });

  it("that Azure then did not make is made again, also where the configuration has gone back to the one before", async () => {
    cloud.offer.failures.set("Standard_B2ats_v2", "AllocationFailed");
    await signer.stack.configure({ vmSize: "Standard_B2ats_v2" });
    const { messages } = await signer.stack.up();
    expect(messages).to.include("AllocationFailed");
    expect(signer.machines).to.deep.equal([]);
    await signer.stack.configure({ vmSize: null });
    const again = await signer.stack.up();
    expect(again.failed, again.messages).to.equal(false);
    expect(signer.machines).to.have.length(1);
    expect((await signer.stack.up()).operations).to.deep.equal([]);
  });

  it("is replaced by pulumi up --replace where the operator says so for once", async () => {
    process.env[REPLACE_ANYWAY] = "yes";
    const { operations, failed, messages } = await signer.stack.up([await signer.urn("machine")]);
    delete process.env[REPLACE_ANYWAY];
    expect(failed, messages).to.equal(false);
    expect(operations).to.have.members(MACHINE_REPLACED);
  });
});
