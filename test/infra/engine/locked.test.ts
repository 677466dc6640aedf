import { expect } from "chai";
import { Az } from "../../emulators/azure-resource-manager/az.ts";
import { cutOff, recover } from "../recovered.ts";
import { program, released, requests, VAULT } from "../stack.ts";
import { story } from "../story.ts";

describe("a subscription that is disabled, and a group that somebody locked, one story whose tests follow on each other", function () {
  this.timeout(900_000);
  let content = "first";
  const signer = story({ name: "mainnet", program: () => program({ content })(), isUnmade: true });
  const { cloud } = signer;
  const az = new Az(cloud);
  const idOf = (type: string) => cloud.ofType(type)[0]?.id ?? "";
  const SCOPES = {
    "the subscription": () => cloud.subscription,
    "the group": () => idOf("azure-native:resources:ResourceGroup"),
    "the network interface": () => idOf("azure-native:network:NetworkInterface"),
    "the vault": () => idOf(VAULT),
  };

  it("a first up in a disabled subscription makes nothing and says why, and the next one goes on once it is enabled", async () => {
    cloud.state = "Disabled";
    expect(await signer.fails("up")).to.match(/ReadOnlyDisabledSubscription.*until it is re-enabled/);
    expect([...cloud.resources.keys()]).to.deep.equal([]);
    cloud.state = "Enabled";
    await signer.done();
  });

  it("a disabled subscription deletes and makes nothing, so a machine that would be replaced stays", async () => {
    const before = signer.machines;
    cloud.state = "Disabled";
    await signer.stack.configure({ vmSize: "Standard_B2ats_v2" });
    for (const command of ["preview", "up"] as const) {
      const said = await signer.fails(command);
      expect(said).to.include("is Disabled: Azure would delete the old one and make no new one");
      expect(said).to.include('docs/disaster.md, "The subscription"');
      expect(said).not.to.include("vmSize");
    }
    expect(requests(cloud)).to.deep.equal([]);
    expect(signer.machines).to.deep.equal(before);
  });

  it("another policy ends with Azure's words there, and comes once it is enabled", async () => {
    await signer.stack.configure({ vmSize: null, policy: '{"default":{"allow":["block"]}}' });
    expect(await signer.fails("up")).to.include("ReadOnlyDisabledSubscription");
    cloud.state = "Enabled";
    await signer.done();
  });

  for (const [level, where] of [
    ["ReadOnly", "the subscription"],
    ["CanNotDelete", "the group"],
    ["ReadOnly", "the network interface"],
  ] as const) {
    it(`a lock of somebody's (${level}) on ${where} keeps the machine that would be replaced, and says how it is lifted`, async () => {
      const before = { resources: [...cloud.resources.keys()], machines: signer.machines };
      const lock = cloud.locks.byHand(cloud, SCOPES[where](), level);
      await signer.stack.configure({ vmSize: "Standard_B2ats_v2" });
      for (const command of ["preview", "up"] as const) {
        expect(await signer.fails(command))
          .to.include(`somebody's lock somebody-s (${level}) holds its group or a part of it`)
          .and.to.include(`az lock delete --ids ${lock}`);
      }
      expect(requests(cloud)).to.deep.equal([]);
      az.run(["lock", "delete", "--ids", lock]);
      expect({ resources: [...cloud.resources.keys()], machines: signer.machines }).to.deep.equal(before);
    });
  }

  it("a group that is locked for reading alone keeps all as it is, whatever is to be changed or destroyed", async () => {
    const before = [...cloud.resources.keys()];
    const lock = cloud.locks.byHand(cloud, SCOPES["the group"](), "ReadOnly");
    await signer.stack.configure({ bakerIp: "84.20.17.7", vmSize: null });
    expect(await signer.fails("up"))
      .to.match(/ScopeLocked.*cannot perform write operation.*Please remove the lock/)
      .and.to.include(SCOPES["the group"]());
    expect(await signer.fails("destroy")).to.include("protected");
    expect([...cloud.resources.keys()]).to.deep.equal([...before, lock.toLowerCase()]);
    az.run(["lock", "delete", "--ids", lock]);
    await signer.done();
  });

  it("a vault that somebody locked for reading alone takes no importer, and the rest is changed beside it", async () => {
    const lock = cloud.locks.byHand(cloud, SCOPES["the vault"](), "ReadOnly");
    const keyImporter = '{"objectId":"aaaaaaaa-1111-4222-8333-444444444444","ip":"198.51.100.4"}';
    await signer.stack.configure({ bakerIp: "84.20.17.8", keyImporter });
    expect(await signer.fails("up"))
      .to.include("ScopeLocked")
      .and.to.include(SCOPES["the vault"]());
    expect(JSON.stringify(cloud.ofType(VAULT))).not.to.include("198.51.100.4");
    az.run(["lock", "delete", "--ids", lock]);
    await signer.done();
    expect(JSON.stringify(cloud.ofType(VAULT))).to.include("198.51.100.4");
  });

  it("what was cut off is recovered under such a lock too, but for a release, which needs the account's key", async () => {
    await signer.stack.configure({ image: "Canonical:ubuntu-26_04-lts:server:latest" });
    await cutOff(cloud, { when: "after", method: "create", name: "machine" }, () => signer.stack.up());
    let lock = cloud.locks.byHand(cloud, SCOPES["the group"](), "ReadOnly");
    expect((await recover(signer.stack)).join()).to.include("machine was being made, and Azure has it");
    az.run(["lock", "delete", "--ids", lock]);
    content = "second";
    await cutOff(cloud, { when: "after", method: "create", name: released("second") }, () => signer.stack.up());
    lock = cloud.locks.byHand(cloud, SCOPES["the group"](), "ReadOnly");
    const refused = await recover(signer.stack).catch(({ message }: Error) => [message]);
    expect(refused.join()).to.match(/ScopeLocked.*Please remove the lock/s);
    az.run(["lock", "delete", "--ids", lock]);
    await recover(signer.stack);
    await signer.done();
  });

  it("a destroy under such a lock takes Pulumi's own locks and nothing else, and a copy of Pulumi's memory keeps the signer", async () => {
    signer.stack.unprotect();
    const copy = await signer.stack.stack.exportStack();
    const lock = cloud.locks.byHand(cloud, SCOPES["the group"](), "ReadOnly");
    const before = new Set(cloud.resources.keys());
    expect(await signer.fails("destroy")).to.include("ScopeLocked");
    const gone = [...before].filter((id) => !cloud.resources.has(id));
    expect(gone.map((id) => id.split("/microsoft.authorization/locks/")[1])).to.have.members([
      ...["keeps-the-keys", "keeps-the-watermarks"],
    ]);
    az.run(["lock", "delete", "--ids", lock]);
    // docs/destroy.md, "A destroy that stopped"
    await signer.stack.stack.importStack(copy);
    const { messages, operations } = await signer.stack.up();
    expect(operations).to.deep.equal([]);
    for (const [, urn = ""] of messages.matchAll(/pulumi state delete --force '([^']+)', then npm run up/g)) {
      signer.stack.forget(urn);
    }
    expect((await signer.stack.up()).operations).to.have.members(["create vault-lock", "create account-lock"]);
    expect([...cloud.resources.keys()]).to.have.members([...before].filter((id) => id !== lock.toLowerCase()));
  });

  it("a destroy of a disabled subscription takes all of it", async () => {
    signer.stack.unprotect();
    cloud.state = "Disabled"; // which deletes
    const { failed, messages } = await signer.stack.destroy();
    expect(failed, messages).to.equal(false);
    expect([...cloud.resources.keys()]).to.deep.equal([]);
  });
});
