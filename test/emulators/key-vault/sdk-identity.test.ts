import { DefaultAzureCredential } from "@azure/identity";
import { KeyClient } from "@azure/keyvault-keys";
import { expect } from "chai";
import { OPERATOR } from "../../harness/sdk-vault.ts";
import { Imds } from "../imds/imds.ts";
import { KeyVaultEmulator } from "./emulator.ts";

describe("the IMDS emulator, asked by @azure/identity", () => {
  it("gives a token that the vault accepts, at the path with the slash that the SDK adds", async () => {
    const imds = await Imds.start({ identities: [OPERATOR] });
    const vault = await KeyVaultEmulator.start({ tokens: imds.tokens, policies: { [OPERATOR.objectId]: ["list"] } });
    const before = process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST;
    process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST = imds.url;
    try {
      const credential = new DefaultAzureCredential({ managedIdentityClientId: OPERATOR.clientId });
      const keys = new KeyClient(vault.url, credential, {
        allowInsecureConnection: true,
        disableChallengeResourceVerification: true,
      });
      for await (const _ of keys.listPropertiesOfKeys()) expect.fail("there is no key");
      expect(vault.calls).to.include({ list: 1, unauthorized: 1 });
      expect(imds.calls.token).to.equal(1);
    } finally {
      if (before === undefined) delete process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST;
      else process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST = before;
      await Promise.all([vault.stop(), imds.stop()]);
    }
  });
});
