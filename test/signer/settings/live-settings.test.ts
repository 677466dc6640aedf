import { expect } from "chai";
import { LiveSettings } from "../../../signer/settings/live-settings.ts";
import { SettingsError } from "../../../signer/settings/parse.ts";

const BASE = {
  keys: { kind: "azure-key-vault", vault: "https://name.vault.azure.net" },
  watermarks: { kind: "sqlite", path: "watermarks.sqlite" },
  policy: { default: { allow: ["attestation"] } },
};

function live(): LiveSettings {
  return new LiveSettings(JSON.stringify(BASE), "the test's settings");
}

describe("settings of a running signer", () => {
  for (const change of [
    { policy: { default: { allow: ["block"] } } },
    { allowedAddresses: ["203.0.113.7"] },
    { authentication: { keys: ["edpkuBknW28nW72KG6RoHtYW7p12T6GKc7nAbwYX5m8Wd9sDVC9yav"] } },
    { listKnownKeys: true },
    { keys: { ...BASE.keys, include: ["baker"] } },
  ]) {
    it(`take another ${Object.keys(change)} at once`, () => {
      const settings = live();
      expect(settings.apply(JSON.stringify({ ...BASE, ...change }))).to.equal("applied");
      expect(settings.current).not.to.deep.equal(live().current);
    });
  }

  for (const change of [
    { listen: { port: 6733 } },
    { admin: { port: 9584 } },
    { watermarks: { ...BASE.watermarks, maxStep: 50 } },
    { keys: { ...BASE.keys, vault: "https://other.vault.azure.net" } },
  ]) {
    it(`take nothing, and ask for a new process, where ${Object.keys(change)} differs`, () => {
      const settings = live();
      const both = { ...BASE, ...change, listKnownKeys: true };
      expect(settings.apply(JSON.stringify(both))).to.equal("restart");
      expect(settings.current).to.deep.equal(live().current);
    });
  }

  it("stay as they are where the new ones are wrong, and say why until better ones come", () => {
    const settings = live();
    expect(() => settings.apply('{ "colour": "blue" }')).to.throw(SettingsError);
    expect(settings.current).to.deep.equal(live().current);
    expect(settings.refusal).to.contain("colour: there is no such setting");
    settings.apply(JSON.stringify(BASE));
    expect(settings.refusal).to.equal(undefined);
  });
});
