import { expect } from "chai";
import { Failure, toFailure } from "../../../signer/cli/failure.ts";
import { StartError } from "../../../signer/errors.ts";
import { KeyError } from "../../../signer/key-files/key-error.ts";
import { StoreError } from "../../../signer/watermark/stores/store.ts";

describe("the failure that a user is shown", () => {
  for (const [thrown, exit] of [
    [new Failure("declined", "No."), "declined"],
    [new KeyError("exists", "No."), "exists"],
    [new StartError("in-use", "No."), "in-use"],
    [new StartError("refused", "No."), "refused"],
    [new StartError("unusable", "No."), "unusable"],
    [new StoreError("in-use", "No."), "in-use"],
    [new StoreError("untrusted", "No."), "unusable"],
    [new StoreError("unavailable", "No."), "unavailable"],
    [new StoreError("conflict", "No."), "unavailable"],
  ] as const) {
    it(`is what was thrown, word for word, where it was foreseen: ${thrown.name}, ${exit}`, () => {
      expect(toFailure(thrown)).to.include({ message: "No.", exit });
    });
  }

  it("says so where nobody foresaw it", () => {
    for (const thrown of [new Error("No."), "No."] as const) {
      expect(toFailure(thrown)).to.include({ message: "Unexpected error: No.", exit: "failed" });
    }
  });
});
