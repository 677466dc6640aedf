import type { KeyVaultKey } from "@azure/keyvault-keys";
import { expect } from "chai";
import { toUsableKey } from "../../../../signer/keys/azure-key-vault/key-selection.ts";
import { CURVES } from "../../../../signer/tezos/crypto/curve.ts";

/** A key of the vault as the SDK gives it, with the generator of its curve as its point. */
function keyOn(crv: string | undefined, curve: keyof typeof CURVES = "P-256K"): KeyVaultKey {
  const point = CURVES[curve].ecdsa.Point.BASE.toBytes(false);
  return {
    name: "baker",
    id: "https://v.vault.azure.net/keys/baker/0",
    keyType: "EC-HSM",
    keyOperations: ["sign"],
    properties: { name: "baker", vaultUrl: "https://v.vault.azure.net", version: "0", enabled: true },
    key: { ...(crv === undefined ? {} : { crv }), x: point.subarray(1, 33), y: point.subarray(33) },
  };
}

const algorithmOf = (key: KeyVaultKey) => {
  const found = toUsableKey(key, Date.now());
  return "unusable" in found ? found.unusable : found.algorithm;
};

describe("key selection", () => {
  it("asks for the algorithm that the vault wants for the curve's name", () => {
    expect(algorithmOf(keyOn("P-256", "P-256"))).to.equal("ES256");
    expect(algorithmOf(keyOn("P-256K"))).to.equal("ES256K");
    expect(algorithmOf(keyOn("SECP256K1"))).to.equal("ECDSA256");
  });

  it("leaves out a key whose curve has a name that it knows no algorithm for, with the cure", () => {
    expect(algorithmOf(keyOn("secp256k1"))).to.equal(
      "its curve is named secp256k1, and which algorithm the vault wants for that name is not known; import the key anew, with its curve named P-256K",
    );
    for (const name of ["P-384", "toString", undefined])
      expect(algorithmOf(keyOn(name))).to.contain("a Tezos key is on");
  });
});
