import { expect } from "chai";
import { fieldsOf } from "../../../signer/confirmation/fields.ts";
import { FORMATS, type FormatsOf, type MOVES } from "../../../signer/confirmation/formats.ts";
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
    // @ts-expect-error a part of a field without a format
    const inner: (typeof MOVES)["start"] = { move: "name", playerCommitment: "hash" };
    expect([bare, wrong, inner]).to.have.length(3);
  });

  it("are named for every part of a field as well", () => {
    for (const { name, operation } of EXAMPLES) {
      for (const [field, value] of Object.entries(operation)) {
        if (!["first", "second", "attestation", "refutation"].includes(field)) continue;
        const labels = fieldsOf(operation).map(({ label }) => label);
        for (const part of partsOf(value)) expect(labels, name).to.include(`${field}${part}`);
      }
    }
  });
});

/** The labels of what lies in a field, and in lists in it. */
function partsOf(value: object): string[] {
  return Object.entries(value).flatMap(([name, inner]) => {
    const label = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
    if (!Array.isArray(inner)) return [`: ${label}`];
    return inner.flatMap((item, at) => partsOf(item).map((part) => `: ${label} ${at + 1} of ${inner.length}${part}`));
  });
}
