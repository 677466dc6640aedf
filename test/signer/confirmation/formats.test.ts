import { expect } from "chai";
import { FORMATS, type FormatsOf } from "../../../signer/confirmation/formats.ts";
import { OPERATION_KINDS } from "../../../signer/tezos/payload/operation.ts";
import { EXAMPLES } from "../../fixtures/operation-examples.ts";

describe("the formats of fields", () => {
  it("are named for every field that the decoder gives", () => {
    for (const { name, operation } of EXAMPLES) {
      const { kind, tag: _, ...fields } = operation;
      expect(Object.keys(FORMATS[kind]).toSorted(), name).to.deep.equal(Object.keys(fields).toSorted());
    }
    expect(Object.keys(FORMATS).toSorted()).to.deep.equal(OPERATION_KINDS.toSorted());
  });

  it("cannot leave a field out, nor show it as something else: this file would not compile", () => {
    // @ts-expect-error a new field without a format
    const bare: FormatsOf<{ amount: bigint; bond: bigint }> = { amount: "tez" };
    // @ts-expect-error a list that would be shown as one address
    const wrong: FormatsOf<{ whitelist: readonly string[] }> = { whitelist: "address" };
    expect([bare, wrong]).to.have.length(2);
  });
});
