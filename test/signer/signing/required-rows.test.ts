import { expect } from "chai";
import type { KeyPolicy } from "../../../signer/policy/policy.ts";
import { requiredRows } from "../../../signer/signing/required-rows.ts";
import { MAINNET } from "../../fixtures/payloads.ts";

const GHOSTNET = "NetXnHfVqm9iesp";
const EVERY = ["block", "preattestation", "attestation"] as const;

/** The rows of keys by their policies, in short. */
function rows(addresses: readonly string[], fallback: KeyPolicy | undefined, own: Record<string, KeyPolicy> = {}) {
  const required = requiredRows(addresses, { default: fallback, keys: new Map(Object.entries(own)) });
  return required.map(({ address, chainId, kind }) => `${address} ${chainId} ${kind}`);
}

/** One key's rows of all of these kinds on all of these chains. */
function every(address: string, chains: readonly string[], kinds: readonly string[] = EVERY): string[] {
  return chains.flatMap((chain) => kinds.map((kind) => `${address} ${chain} ${kind}`));
}

describe("the rows that keys need by their policies", () => {
  for (const kind of EVERY) {
    it(`are one of the ${kind} where that alone is allowed`, () => {
      expect(rows(["tz3a"], { allow: [kind], chains: [MAINNET] })).to.deep.equal(every("tz3a", [MAINNET], [kind]));
    });
  }

  it("are one of each kind, key and chain", () => {
    const required = rows(["tz3a", "tz2b"], { allow: EVERY, chains: [MAINNET, GHOSTNET] });
    expect(required).to.have.members([...every("tz3a", [MAINNET, GHOSTNET]), ...every("tz2b", [MAINNET, GHOSTNET])]);
  });

  it("are by a key's own policy where it has one, and by the default's otherwise", () => {
    const own = { tz3a: { allow: ["block"], chains: [GHOSTNET] } } as const;
    expect(rows(["tz3a", "tz2b"], { allow: EVERY, chains: [MAINNET] }, own)).to.have.members([
      ...every("tz3a", [GHOSTNET], ["block"]),
      ...every("tz2b", [MAINNET]),
    ]);
    expect(rows(["tz3a"], undefined, own)).to.deep.equal(every("tz3a", [GHOSTNET], ["block"]));
  });

  it("are none for operations, which have no watermark, for what waits for a person, and where nothing is allowed", () => {
    expect(rows(["tz3a"], { allow: ["transaction", "reveal", "pack"], chains: [MAINNET] })).to.deep.equal([]);
    expect(rows(["tz3a"], { allow: [], confirm: ["transaction"], chains: [MAINNET] })).to.deep.equal([]);
    expect(rows(["tz3a"], undefined)).to.deep.equal([]);
    expect(rows([], { allow: EVERY, chains: [MAINNET] })).to.deep.equal([]);
  });

  it("cannot be foreseen where a policy names no chain", () => {
    expect(rows(["tz3a"], { allow: EVERY })).to.deep.equal([]);
  });
});
