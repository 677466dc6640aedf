import { expect } from "chai";
import { OPERATION_KINDS } from "../../../../signer/tezos/payload/operation.ts";
import { type Report, randomFrom, run } from "../../../campaigns/mutations.ts";
import { seeds } from "../../../campaigns/seeds.ts";

describe("5,000 mutated payloads", () => {
  let report: Report;

  before(async () => {
    // Another slice each time; the number is printed with a failure, and `npm run test:mutations -- 5000 NUMBER` repeats it.
    const number = Date.now() % 2 ** 31;
    try {
      report = run(await seeds(), 5000, randomFrom(number));
    } catch (error) {
      throw new Error(`seed ${number}`, { cause: error });
    }
  });

  it("are read or refused with the byte named, never misread", () => {
    const total = [...report.formats.values()].reduce((sum, { all }) => sum + all, 0);
    expect(total).to.equal(5000);
  });

  it("reach the last field of their format at least every other time", () => {
    expect(report.reachedLast).to.be.at.least(2500);
  });

  it("still give every class and kind of request", () => {
    const kinds = ["consensus: block", "consensus: preattestation", "consensus: attestation", "pack"].concat(
      "consensus: attestation_with_dal",
      OPERATION_KINDS.map((kind) => `operation: ${kind}`),
    );
    expect([...report.read.keys()].sort()).to.deep.equal(kinds.sort());
  });
});
