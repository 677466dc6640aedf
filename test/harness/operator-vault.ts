import { KeyClient } from "@azure/keyvault-keys";
import type { Connect } from "../../signer/cli/ceremony/vault-access.ts";
import { KeyVaultEmulator } from "../emulators/key-vault/emulator.ts";
import { type Identity, TokenAuthority } from "../emulators/key-vault/tokens.ts";

/** The person who imports keys: may do anything with them but sign (infra's `operator`). */
export const OPERATOR: Identity = {
  clientId: "aaaaaaaa-0000-4000-8000-000000000001",
  objectId: "aaaaaaaa-0000-4000-8000-000000000002",
};
export const OPERATOR_PERMISSIONS = ["get", "list", "create", "import", "update"] as const;

/** The signer's managed identity. */
export const MACHINE: Identity = {
  clientId: "bbbbbbbb-0000-4000-8000-000000000001",
  objectId: "bbbbbbbb-0000-4000-8000-000000000002",
};
export const MACHINE_PERMISSIONS = ["get", "list", "sign"] as const;

/** An emulated vault with the access policies that the stack gives, and the authority that issues tokens for it. */
export async function startOperatorVault(): Promise<{ vault: KeyVaultEmulator; tokens: TokenAuthority }> {
  const tokens = new TokenAuthority();
  const vault = await KeyVaultEmulator.start({
    tokens,
    policies: { [OPERATOR.objectId]: OPERATOR_PERMISSIONS, [MACHINE.objectId]: MACHINE_PERMISSIONS },
  });
  return { vault, tokens };
}

/** Connects as one identity, without the way to a token that a real computer has. */
export function connectAs(identity: Identity, tokens: TokenAuthority): Connect {
  return async (url) =>
    new KeyClient(
      url,
      {
        getToken: async () => {
          const { token, claims } = tokens.issue(identity, "https://vault.azure.net", 3600);
          return { token, expiresOnTimestamp: claims.exp * 1000 };
        },
      },
      {
        allowInsecureConnection: true,
        disableChallengeResourceVerification: true,
        retryOptions: { maxRetries: 0 },
      },
    );
}
