import { expect } from "chai";
import { SignerError } from "../../../signer/errors.ts";
import { PrivateKey } from "../../../signer/key-files/private-key.ts";
import { requireOwnStore } from "../../../signer/keys/store-binding.ts";

const { publicKey } = PrivateKey.generate("P-256");
const KEY = { publicKey, location: "the key", sign: async () => new Uint8Array() };

/** What becomes of a key with this signer's store. */
function outcome(key: { boundStoreId?: string; bindingConflict?: string }, storeId: string | undefined): string {
  try {
    return requireOwnStore({ ...KEY, ...key }, storeId);
  } catch (error) {
    if (error instanceof SignerError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

describe("a key and its watermark store", () => {
  const conflict = "it names two stores";

  for (const [what, key, storeId, expected] of [
    ["an unbound key has any store", {}, "S1", /^own$/],
    ["an unbound key waits for no store's id", {}, undefined, /^own$/],
    ["a bound key has its own store", { boundStoreId: "S1" }, "S1", /^own$/],
    ["a bound key waits until the store has told its id", { boundStoreId: "S1" }, undefined, /^unknown$/],
    ["a bound key is refused with another store", { boundStoreId: "S1" }, "S2", /^watermark-untrusted: .*S1.*S2/],
    [
      "a key that names several stores is refused with its own, too",
      { boundStoreId: "S1", bindingConflict: conflict },
      "S1",
      /^watermark-untrusted: .*two stores/,
    ],
    [
      "a key that names several stores is refused before the store has told its id",
      { bindingConflict: conflict },
      undefined,
      /^watermark-untrusted: .*two stores/,
    ],
  ] as const) {
    it(what, () => {
      expect(outcome(key, storeId)).to.match(expected);
    });
  }
});
