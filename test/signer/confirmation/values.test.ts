import { expect } from "chai";
import fc from "fast-check";
import { micheline, stakingTerms, tez } from "../../../signer/confirmation/values.ts";
import type { Micheline } from "../../../signer/tezos/payload/micheline.ts";

describe("values in words", () => {
  it("have exact decimals, where they are amounts", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), (mutez) => {
        const [whole = "", decimals = ""] = tez(mutez).replace(" tez", "").split(".");
        expect(BigInt(`${whole}${decimals.padEnd(6, "0")}`)).to.equal(mutez);
      }),
    );
    expect([1_500_000n, 1n, 0n, 1_000_000n].map(tez)).to.deep.equal(["1.5 tez", "0.000001 tez", "0 tez", "1 tez"]);
  });

  it("are Micheline as octez-client writes it", () => {
    const nested: Micheline = {
      prim: "Pair",
      args: [{ int: "-1" }, { prim: "Some", args: [{ bytes: "00ff" }] }, { prim: "None" }],
    };
    expect(micheline(nested)).to.equal("Pair -1 (Some 0x00ff) None");
    expect(micheline([{ prim: "DROP" }, { prim: "PUSH", args: [{ prim: "string" }, { string: 'a"\n' }] }])).to.equal(
      '{ DROP ; PUSH string "a\\"\\n" }',
    );
    expect(micheline([])).to.equal("{}");
  });

  it("are no terms of a baker's where the parameters have another form", () => {
    const unit: Micheline = { prim: "Unit" };
    for (const other of [
      unit,
      [unit],
      { prim: "Pair", args: [{ int: "1" }, { int: "2" }] },
      { int: "1" },
      [{ int: "9".repeat(30_000) }, { int: "0" }, unit],
    ]) {
      expect(stakingTerms(other)).to.equal(undefined);
    }
    expect(stakingTerms([{ int: "0" }, { int: "1000000000" }, unit])).to.deep.equal({
      limit: "others may stake up to 0 times the baker's own stake (0 millionths)",
      edge: "the baker keeps 100 % of their rewards (1000000000 billionths)",
    });
  });
});
