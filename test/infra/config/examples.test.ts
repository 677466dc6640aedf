import { createHash } from "node:crypto";
import { b58DecodePublicKey } from "@taquito/utils";
import { expect } from "chai";
import { EXAMPLE_CLIENT } from "../../../infra/config/example-client.ts";
import { KEYS } from "../../../infra/config/schema.ts";
import { EXAMPLE_SSH_KEY } from "../../../infra/config/ssh-key.ts";
import { LEAST, settings } from "../../fixtures/stack-configs.ts";
import { CLIENT, mended, mistakes, told } from "./told.ts";

describe("the examples below the mistakes", () => {
  const production = { ...LEAST, production: "true", authorizedKeys: `["${CLIENT}"]` };

  it("fit the other values, and never the value that it refused", () => {
    for (const config of [
      { vmSize: "Standard_B2pts_v2" },
      { vmSize: "Standard_B2pts_v2", image: "Canonical:ubuntu-24_04-lts:server-gen1:latest" },
      { vmSize: "Tiny", image: "Canonical:ubuntu-24_04-lts:server-arm64:latest" },
      { alertEmail: "baker@example.org" },
      { alertEmail: "baker" },
      { policy: '{"default":{"allow":["block"]}}', confirm: '["transaction"]' },
      { policy: '{"default":{"allow":["block"]}}', confirm: "[1]" },
      { policy: '{"default":{"allow":["block"],"authentication":true}}', authorizedKeys: "none" },
      { redundancy: "lrs", production: "no", location: "wsteurope", chains: "NetXsqzbfFenSTS" },
    ]) {
      expect(told({ ...LEAST, ...config }), JSON.stringify(config)).not.to.deep.equal([]);
      expect(told(mended({ ...LEAST, ...config })), JSON.stringify(config)).to.deep.equal([]);
    }
    const slips = { ...LEAST, redundancy: "lrs", production: "no", location: "wsteurope", chains: "NetXsqzbfFenSTS" };
    expect(settings(mended(slips))).to.include({ redundancy: "LRS", production: false, location: "westeurope" });
    expect(settings(mended(slips)).chains).to.deep.equal(["NetXsqzbfFenSTS"]);
  });

  it("name a time for the first watermarks that has not passed", () => {
    const [{ example } = { example: "" }] = mistakes({ ...LEAST, initialise: "soon" });
    expect(Date.parse(/"until":"([^"]+)"/.exec(example)?.[1] ?? "")).to.be.greaterThan(Date.now());
  });

  it("are each right for a test stack", () => {
    for (const [key, { example }] of Object.entries(KEYS)) {
      if (key === "sshPublicKey") continue; // a command that reads the file
      const more = {
        ...(/^alert(Email|Webhook)$/.test(key) ? { monitoring: "true" } : {}),
        ...(key === "production" ? { authorizedKeys: "none" } : {}),
      };
      expect(told({ ...LEAST, ...more, [key]: example }), key).to.deep.equal([]);
    }
  });

  it("are right for a production stack too", () => {
    for (const config of [
      { bakerIp: "203.0.113.7" },
      { bakerIp: "10.0.0.4" },
      { sshPublicKey: EXAMPLE_SSH_KEY },
      { authorizedKeys: "[]" },
      { authorizedKeys: "None" },
      { authorizedKeys: CLIENT },
      { authorizedKeys: '["edpkwrong"]' },
      { authorizedKeys: `["${EXAMPLE_CLIENT}"]` },
      { initialise: '{"level":9,"until":"2999-01-01T00:00:00Z"}' },
      { keyImporter: "me" },
    ]) {
      expect(told({ ...production, ...config }), JSON.stringify(config)).not.to.deep.equal([]);
      expect(told(mended({ ...production, ...config })), JSON.stringify(config)).to.deep.equal([]);
    }
  });

  it("have a client whose private key nobody has, and which a production stack does not take", () => {
    const sentence = createHash("sha256").update("tezos-signer: an example of a client that nobody is").digest("hex");
    expect(b58DecodePublicKey(EXAMPLE_CLIENT)).to.equal(`00${sentence}`); // 00 is Taquito's tag of Ed25519
    expect(told({ ...LEAST, authorizedKeys: `["${EXAMPLE_CLIENT}"]` })).to.deep.equal([]);
    expect(told({ ...production, authorizedKeys: `["${CLIENT}","${EXAMPLE_CLIENT}"]` })).to.deep.equal([
      `authorizedKeys: ${EXAMPLE_CLIENT} is the example; a production stack needs the key of its own client`,
    ]);
  });
});
