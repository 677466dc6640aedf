import type { TokenCredential } from "@azure/identity";
import { ManagedIdentity } from "./managed-identity.ts";

export interface AzureCredentialOptions {
  /** `managed-identity`: the VM's own; `default`: whatever @azure/identity finds, for a laptop. */
  readonly credential: "managed-identity" | "default";
  /** Of a user-assigned managed identity. */
  readonly clientId?: string | undefined;
}

/** Returns the Azure credential for Key Vault and Table storage. */
export async function azureCredential({ credential, clientId }: AzureCredentialOptions): Promise<TokenCredential> {
  if (credential === "managed-identity") return new ManagedIdentity(clientId);
  // Loaded where it is wanted: it is large, and a signer on its VM has no use for it.
  const { DefaultAzureCredential } = await import("@azure/identity");
  return new DefaultAzureCredential(clientId === undefined ? {} : { managedIdentityClientId: clientId });
}
