import { expect } from "chai";
import { didYouMean, nearest } from "../../../signer/settings/nearest.ts";

describe("the guess at what was meant", () => {
  const cases: readonly (readonly [given: string, known: readonly string[], meant: string | undefined])[] = [
    ["blocks", ["block", "preattestation", "attestation"], "block"],
    ["atestation", ["preattestation", "attestation"], "attestation"],
    ["endorsement", ["block", "attestation"], "attestation"],
    ["transfer", ["transaction", "transfer_ticket"], "transaction"],
    ["transfer", ["block"], undefined],
    ["chain", ["chains", "tags"], "chains"],
    ["nrtheurope", ["westeurope", "northeurope"], "northeurope"],
    ["northuerope", ["westeurope", "northeurope"], "northeurope"],
    ["North Europe", ["westeurope", "northeurope"], "northeurope"],
    ["vmsize", ["vmSize"], "vmSize"],
    ["mars", ["westus", "eastus"], undefined],
    ["", ["keys"], undefined],
    ["zrs", ["LRS", "ZRS"], "ZRS"],
    ["GRS", ["LRS", "ZRS"], undefined],
    ["secp256k1", ["P-256", "P-256K"], "P-256K"],
    ["tz3", ["P-256", "P-256K"], "P-256"],
    ["None", ["none"], "none"],
    ["P-256-K", ["P-256", "P-256K"], "P-256K"],
  ];
  for (const [given, known, meant] of cases) {
    it(`takes ${given === "" ? "nothing" : given} among ${known.join(", ")} for ${meant ?? "none of them"}`, () => {
      expect(nearest(given, known)).to.equal(meant);
    });
  }

  it("makes as many edits as it may, and no more", () => {
    expect(nearest("greececentral", ["francecentral"])).to.equal("francecentral");
    expect(nearest("greececentral", ["francecentral"], 2)).to.equal(undefined);
  });

  it("is written as the end of a sentence, or not at all", () => {
    expect(didYouMean("blocks", ["block"])).to.equal("; did you mean block?");
    expect(didYouMean("hammer", ["block"])).to.equal("");
  });
});
