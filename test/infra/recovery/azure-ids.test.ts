import { expect } from "chai";
import { azureId } from "../../../infra/recovery/azure-ids.ts";
import { Cloud, kindOf } from "../../emulators/azure-resource-manager/cloud.ts";
import { EVERYTHING, plan } from "../../fixtures/stack-configs.ts";

describe("the id of a resource whose answer was lost", function () {
  this.timeout(20_000);
  const cloud = new Cloud();

  it("is the one that Azure gave it, for every kind that a stack has", async () => {
    const { resources } = await plan({ ...EVERYTHING, instances: "2" });
    const azures = resources.filter(({ type }) => type.startsWith("azure-native:"));
    expect(new Set(azures.map(({ type }) => type)).size).to.be.greaterThan(15);
    for (const { type, inputs, name } of azures) {
      const { autoname, id } = kindOf(type);
      const named = autoname === undefined ? inputs : { [autoname.key]: "made-up-by-the-provider", ...inputs };
      const resource = { urn: `urn:pulumi:dev::tezos-signer::${type}::${name}`, type, inputs: named };
      // The recorder's stand-ins for random digits have characters that Azure takes in no name.
      const real = JSON.parse(JSON.stringify(resource).replaceAll("<random>", "0123456789abcdef"));
      expect(azureId(real, cloud.subscription), name).to.equal(id(real.inputs, cloud));
    }
  });

  it("is not guessed: a name that is not known yet, and a kind that no stack has, are told", () => {
    const group = { urn: "u", type: "azure-native:resources:ResourceGroup", inputs: {} };
    expect(() => azureId(group, cloud.subscription)).to.throw("resourceGroupName of azure-native:resources:Resource");
    const other = { urn: "u", type: "azure-native:dns:Zone", inputs: {} };
    expect(() => azureId(other, cloud.subscription)).to.throw("no id is known here for azure-native:dns:Zone");
  });
});
