import { expect } from "chai";
import { decideByPolicy, type KeyPolicy, type Policy } from "../../../signer/policy/policy.ts";
import { parsePayload } from "../../../signer/tezos/payload/payload.ts";
import {
  attestation,
  manager,
  OTHER,
  operations,
  publicKeyHash,
  SOURCE,
  transaction,
  transfer,
} from "../../fixtures/payloads.ts";

const own = (rule: KeyPolicy): Policy => ({ keys: new Map([[SOURCE, rule]]) });
const verdict = (policy: Policy, payload: Uint8Array) => decideByPolicy(policy, SOURCE, parsePayload(payload)).verdict;

/** A delegation to nobody. */
const delegation = manager(110, { counter: 2n }, Buffer.from([0]));
const drain = operations(Buffer.concat([Buffer.from([9]), ...[SOURCE, OTHER, OTHER].map(publicKeyHash)]));

describe("policy", () => {
  it("allows, holds for a person, or refuses by the list that a kind is in", () => {
    expect(verdict(own({ allow: ["transaction"] }), transfer())).to.equal("allow");
    expect(verdict(own({ allow: [], confirm: ["transaction"] }), transfer())).to.equal("confirm");
    expect(verdict(own({ allow: ["attestation"], confirm: ["reveal"] }), transfer())).to.equal("refuse");
  });

  it("makes a whole batch wait for one of its operations", () => {
    const batch = operations(transaction({ counter: 1n }), delegation);
    expect(verdict(own({ allow: ["transaction"], confirm: ["delegation"] }), batch)).to.equal("confirm");
    expect(verdict(own({ allow: ["transaction", "delegation"] }), batch)).to.equal("allow");
    expect(verdict(own({ allow: [], confirm: ["transaction"] }), batch)).to.equal("refuse");
  });

  it("drains a delegate only by a rule of the key's own, even where a person confirms", () => {
    const rule = { allow: [], confirm: ["drain_delegate"] } as const;
    expect(verdict(own(rule), drain)).to.equal("confirm");
    expect(verdict({ default: rule, keys: new Map() }, drain)).to.equal("refuse");
  });

  it("refuses a vote of a chain that is not named", () => {
    const rule = { allow: ["attestation"], chains: ["NetXnHfVqm9iesp"] } as const;
    expect(decideByPolicy(own(rule), SOURCE, parsePayload(attestation()))).to.deep.include({
      verdict: "refuse",
      reason: `chain NetXdQprcVkpaWU is not in the \`chains\` list of ${SOURCE}`,
    });
  });

  it("refuses everything to a key without a rule", () => {
    expect(verdict({ keys: new Map() }, attestation())).to.equal("refuse");
  });
});
