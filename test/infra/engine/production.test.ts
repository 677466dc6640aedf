import { expect } from "chai";
import { all, kept, program, released, requests, VAULT } from "../stack.ts";
import { story } from "../story.ts";

describe("the life of a production stack on Pulumi's engine, one story whose tests follow on each other", function () {
  this.timeout(300_000);
  const keys = '[{"name":"consensus","curve":"P-256","source":"generate"}]';
  let content = "first";
  const signer = story({
    name: "mainnet",
    config: { production: "false", monitoring: "true", keys },
    program: () => program({ content })(),
  });
  const { cloud } = signer;

  it("is what a test stack becomes in place, with the vault's days of soft delete as they were", async () => {
    await signer.stack.configure({ production: "true" });
    const { operations, failed, messages } = await signer.stack.up();
    expect(failed, messages).to.equal(false);
    expect(operations).to.include.members(all("create", ["vault-lock", "account-lock", "destroy-guard"]));
    expect(operations.filter((operation) => !/^(create|update) /.test(operation))).to.deep.equal([]);
    const properties = cloud.ofType(VAULT)[0]?.outputs.properties;
    expect(properties).to.include({ enablePurgeProtection: true, softDeleteRetentionInDays: 7 });
  });

  it("cannot be turned into a test stack by its configuration", async () => {
    await signer.stack.configure({ production: "false" });
    const { failed, messages } = await signer.stack.preview();
    expect(failed).to.equal(true);
    expect(messages).to.include("production = false: what it has locked and protected stays so");
    await signer.stack.configure({ production: "true" });
  });

  it("refuses to be destroyed, says why, and deletes nothing first", async () => {
    const before = [...cloud.resources.keys()];
    const { failed, messages } = await signer.stack.destroy();
    expect(failed).to.equal(true);
    expect(messages).to.match(/ProductionStackIsNotDestroyed.*cannot be deleted\s+because it is protected/s);
    expect(cloud.calls).to.deep.equal([]);
    expect([...cloud.resources.keys()]).to.deep.equal(before);
    // Nothing depends on the component, which is nothing in Azure: Pulumi forgets it first, and the next up registers it.
    expect((await signer.stack.up()).operations).to.deep.equal(["create tezos-signer"]);
  });

  it("is upgraded like any other: a release is added, the machine is told of it and waited for, and nothing else", async () => {
    content = "second";
    const before = kept(cloud);
    const { operations, messages } = await signer.stack.up();
    const added = `create ${released("second")}`;
    expect(operations, messages).to.deep.equal([added, "update machine", "update await-ready"]);
    expect(kept(cloud)).to.deep.include(before);
  });

  it("keeps a key that was taken out of the configuration, and says so", async () => {
    await signer.stack.configure({ keys: "[]" });
    const { failed, messages, operations } = await signer.stack.up();
    expect(failed).to.equal(true);
    expect(messages).to.include("keys: consensus is in the vault of this production stack, which keeps it");
    expect(operations).to.deep.equal([]);
    await signer.stack.configure({ keys });
  });

  it("takes new tags without a preview that fears for the protected", async () => {
    await signer.stack.configure({ tags: '{"owner":"baker"}' });
    const { failed, messages } = await signer.stack.preview();
    expect(failed, messages).to.equal(false);
  });

  it("is held by Azure's locks even where Pulumi is not asked", () => {
    const group = `${cloud.subscription}/resourceGroups/tezos-signer-mainnet`;
    expect(() => cloud.delete("azure-native:resources:ResourceGroup", "by hand", group)).to.throw(/ScopeLocked/);
  });

  it("is destroyed once it is unprotected", async () => {
    signer.stack.unprotect();
    const { failed, messages } = await signer.stack.destroy();
    expect(failed, messages).to.equal(false);
    const calls = requests(cloud);
    expect(calls).to.have.members(["delete vault-lock", "delete account-lock", "delete group"]);
    expect(calls.at(-1)).to.equal("delete group");
    expect([...cloud.resources.keys()]).to.deep.equal([]);
  });
});
