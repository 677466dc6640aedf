import { expect } from "chai";
import { REPLACE_ANYWAY } from "../../../infra/capacity/before-replacing.ts";
import type { Content } from "../../emulators/azure-resource-manager/account.ts";
import { text } from "../../emulators/azure-resource-manager/properties.ts";
import { MACHINE_REPLACED, program } from "../stack.ts";
import { story } from "../story.ts";

describe("a machine that would be replaced, one story whose tests follow on each other", function () {
  this.timeout(300_000);
  let customData = "IyBvbmUK";
  const signer = story({
    name: "dev",
    config: { vmSize: "Standard_B1s" },
    program: () => program({ customData })(),
  });
  const { cloud } = signer;

  after(() => {
    delete process.env[REPLACE_ANYWAY];
  });

  /** Refused in the preview and in the `up`, and the machine runs on. @returns what was said */
  async function refused(): Promise<string> {
    const before = signer.machines;
    expect(before).to.have.length(1);
    const preview = await signer.stack.preview();
    expect(preview.failed).to.equal(true);
    const { failed, messages } = await signer.stack.up();
    expect(failed).to.equal(true);
    expect(messages).to.include("Nothing was done to the one that runs");
    expect(preview.messages).to.equal(messages);
    expect(messages).not.to.match(/\n\s+at /);
    expect(signer.machines).to.deep.equal(before);
    return messages;
  }

  it("stays where its size is sold out since it was made, and another size that is to be had is named", async () => {
    cloud.refusedSizes.add("Standard_B1s");
    await signer.stack.configure({ image: "Canonical:ubuntu-26_04-lts:server:latest" });
    expect(await refused())
      .to.include("this subscription does not get Standard_B1s here (NotAvailableForSubscription)")
      .and.to.include("set its successor: pulumi config set vmSize Standard_B2ats_v2");
  });

  it("is not asked about where it stays: the firewall moves, a policy comes, however sold out its size is", async () => {
    await signer.stack.configure({ image: null, bakerIp: "203.0.113.8", policy: '{"default":{"allow":["block"]}}' });
    const { failed, operations, messages } = await signer.stack.up();
    expect(failed, messages).to.equal(false);
    expect(operations).to.have.members(["update firewall", "update machine", "update await-ready"]);
  });

  it("stays where the successor is over its quota, sold out or not in the region, and the next one is named", async () => {
    await signer.stack.configure({ vmSize: "Standard_B2ats_v2" });
    cloud.offer.limits.standardBasv2Family = 0;
    expect(await refused())
      .to.include("the quota of standardBasv2Family leaves 0 of 0")
      .and.to.include("vmSize Standard_B2ts_v2");
    cloud.offer.absent.add("Standard_B2ats_v2");
    expect(await refused()).to.include("there is no size Standard_B2ats_v2 in this region");
    cloud.offer.absent.clear();
    delete cloud.offer.limits.standardBasv2Family;
  });

  it("stays where an image is of generation 1 or for another processor and its name does not say so", async () => {
    for (const [sku, why] of [
      ["one", "the image is of generation V1, and Trusted Launch needs V2"],
      ["arm", "the image is for Arm64, and Standard_B2ats_v2 is x64"],
      ["none", "there is no such image in this region"],
    ]) {
      await signer.stack.configure({ image: `Canonical:ubuntu-odd:${sku}:latest` });
      expect(await refused()).to.include(why);
    }
    await signer.stack.configure({ image: null });
  });

  it("stays where a policy denies new machines, which Azure does not ask before it deletes one", async () => {
    const assignment =
      "/providers/Microsoft.Management/managementGroups/all/providers/Microsoft.Authorization/policyAssignments/no-small-disks";
    const broken = ({ type, properties }: Content) =>
      type === "Microsoft.Compute/virtualMachines" &&
      text(properties, "storageProfile.osDisk.managedDisk.storageAccountType") === "StandardSSD_LRS";
    cloud.account.policies.push({ assignment, effect: "Deny", broken });
    expect(await refused())
      .to.include("the policy no-small-disks would deny the new one: Azure would delete the old one all the same")
      .and.to.include(
        `--policy-assignment ${assignment} --scope ${cloud.subscription}/resourceGroups/tezos-signer-dev`,
      );
    cloud.account.policies.length = 0;
    cloud.account.unregistered.add("Microsoft.PolicyInsights");
    expect(await refused()).to.match(/Microsoft\.PolicyInsights\S*: 409 MissingSubscriptionRegistration/);
    cloud.account.unregistered.clear();
  });

  it("stays where Azure may not be asked, and goes where the operator says so for once", async () => {
    cloud.deployer.readsCompute = false;
    expect(await refused())
      .to.include("Azure does not say whether it has the new one")
      .and.to.include("403 AuthorizationFailed")
      .and.to.include(`${REPLACE_ANYWAY}=yes npm run up`);
    process.env[REPLACE_ANYWAY] = "yes";
    const { operations, failed, messages } = await signer.stack.up();
    delete process.env[REPLACE_ANYWAY];
    cloud.deployer.readsCompute = true;
    expect(failed, messages).to.equal(false);
    expect(messages).to.include(`It goes on, as ${REPLACE_ANYWAY} says`);
    expect(operations).to.have.members(MACHINE_REPLACED);
  });

  it("is replaced where Azure has the new one, for another first boot too, and once", async () => {
    customData = "IyB0d28K";
    expect((await signer.stack.up()).operations).to.have.members(MACHINE_REPLACED);
    expect((await signer.stack.preview()).operations).to.deep.equal([]);
  });

  // What is advised then, Pulumi's own command line shows: checkout.test.ts.
  it("that is refused only as it is made is made by the next up that finds room", async () => {
    customData = "IyB0aHJlZQo=";
    cloud.offer.failures.set("Standard_B2ats_v2", "AllocationFailed");
    const { failed, messages } = await signer.stack.up();
    expect(failed).to.equal(true);
    expect(messages).to.include("AllocationFailed");
    // There is none that could be lost, and the list knows it too by now: all else is done, and Azure's own words are told.
    cloud.refusedSizes.add("Standard_B2ats_v2");
    await signer.stack.configure({ bakerIp: "203.0.113.9" });
    const second = await signer.stack.up();
    expect(second.messages).to.include("SkuNotAvailable").and.not.to.include("the one that runs");
    expect(second.operations).to.include("update firewall");
    cloud.refusedSizes.delete("Standard_B2ats_v2");
    cloud.offer.failures.clear();
    expect((await signer.stack.up()).failed).to.equal(false);
    expect(signer.machines).to.have.length(1);
  });
});
