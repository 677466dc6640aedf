import type { TokenCredential } from "@azure/identity";
import { bindCommonAgent } from "../network/outgoing.ts";
import { ManagedIdentity } from "./managed-identity.ts";
import { imdsHost } from "./metadata-service.ts";
import { identitySdk } from "./sdk.ts";
import { sentByOwnAgents } from "./sdk-requests.ts";

export interface AzureCredentialOptions {
  /** `managed-identity`: the VM's own; `default`: whatever @azure/identity finds, for a laptop. */
  readonly credential: "managed-identity" | "default";
  /** Of a user-assigned managed identity. */
  readonly clientId?: string | undefined;
}

/** Returns the Azure credential for Key Vault and Table storage. */
export async function azureCredential({ credential, clientId }: AzureCredentialOptions): Promise<TokenCredential> {
  if (credential === "managed-identity") return new ManagedIdentity(clientId);
  // It looks for a metadata service too, with a client of its own that takes no agent.
  bindCommonAgent(new URL(imdsHost()).hostname);
  // Loaded where it is wanted: it is large, and a signer on its VM has no use for it.
  const { DefaultAzureCredential } = identitySdk();
  return new DefaultAzureCredential({
    ...sentByOwnAgents(),
    ...(clientId !== undefined && { managedIdentityClientId: clientId }),
  });
}
