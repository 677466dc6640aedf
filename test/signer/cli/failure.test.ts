import { expect } from "chai";
import { toFailure } from "../../../signer/cli/failure.ts";
import { StoreError, type StoreFault } from "../../../signer/watermark/stores/store.ts";

describe("how a command ends", () => {
  const faults = { conflict: "unavailable", unavailable: "unavailable", untrusted: "unusable", "in-use": "in-use" };
  for (const [fault, exit] of Object.entries(faults)) {
    it(`gives a store's fault "${fault}" its exit code and the store's own words`, () => {
      const { exit: given, message } = toFailure(new StoreError(fault as StoreFault, "The file is held by another."));
      expect({ given, message }).to.deep.equal({ given: exit, message: "The file is held by another." });
    });
  }

  it("calls what nobody foresaw an unexpected error", () => {
    expect(toFailure(new Error("boom"))).to.include({ exit: "failed", message: "Unexpected error: boom" });
  });
});
