import { expect } from "chai";
import type { Plan } from "../../../infra/plan/plan.ts";
import { readUserDataDocument } from "../../../signer/azure/user-data-document.ts";
import { settingsVersion } from "../../../signer/settings/version.ts";
import { list, text } from "../../emulators/azure-resource-manager/properties.ts";
import { EVERYTHING, plan, release } from "../../fixtures/stack-configs.ts";
import { names, resource } from "./planned.ts";

/** What the machine's script is told. */
function told(planned: Plan): Readonly<Record<string, string>> {
  const parameters = list(resource(planned, "await-ready").inputs, "parameters");
  return Object.fromEntries(parameters.map((one) => [text(one, "name"), text(one, "value")]));
}

describe("the wait for the signer", () => {
  let least: Plan;
  let everything: Plan;

  before(async () => {
    least = await plan();
    everything = await plan(EVERYTHING);
  });

  it("is for the release and the settings, and is another where they or the keys are, not where the baker moves", async () => {
    const { SETTINGS } = told(least);
    expect(told(least)).to.deep.equal({ RELEASE: release("first").sha256, SETTINGS, KEYS: "none", AGAIN: "0" });
    expect(told(await plan({ bakerIp: "84.20.17.6", adminIp: "84.20.19.1" }))).to.deep.equal(told(least));
    expect(told(await plan({ policy: '{"default":{"allow":["block"]}}' })).SETTINGS).not.to.equal(SETTINGS);
    expect(told(everything).KEYS).to.equal("consensus manager aaaaaaaa-1111-4222-8333-444444444444");
  });

  it("names the settings as the signer does, which reads them from userData", () => {
    for (const planned of [least, everything]) {
      const userData = Buffer.from(text(resource(planned, "machine").inputs, "userData"), "base64").toString();
      expect(told(planned).SETTINGS).to.equal(settingsVersion(readUserDataDocument(userData).settings));
    }
  });

  it("begins once the machine has all that it needs, and ends before Pulumi loses patience", () => {
    const { inputs, options } = resource(least, "await-ready");
    expect(options.dependencies).to.include.members(["machine", "vault", "watermarks", "table-role", "release-role"]);
    const { dependencies } = resource(everything, "await-ready").options;
    expect(dependencies).to.include.members(["consensus", "manager"]);
    // What hangs on a lock would keep it from being forgotten, where somebody took it away (infra/standing/check.ts).
    expect(dependencies).not.to.include.members(["vault-lock"]);
    // The script itself ends after 18 minutes, Azure's agent ends it after 19, Pulumi waits for 20.
    expect(text(inputs, "source.script")).to.include("+ 1080");
    expect(inputs.timeoutInSeconds).to.equal(19 * 60);
  });

  it("leaves nothing where it is not wanted", async () => {
    const without = await plan({ waitForSigner: "false" });
    expect(names(least).filter((name) => !names(without).includes(name))).to.deep.equal(["readiness", "await-ready"]);
    expect(least.outputs).to.have.property("signer");
    expect(without.outputs).not.to.have.property("signer");
  });
});
