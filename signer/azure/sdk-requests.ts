import type { Agent } from "node:http";
import type { KeyClientOptions } from "@azure/keyvault-keys";
import { direct, outgoingAgent } from "../network/outgoing.ts";
import { imdsHost } from "./metadata-service.ts";

type AdditionalPolicies = NonNullable<KeyClientOptions["additionalPolicies"]>;

/**
 * Makes the options by which a client of Azure's SDK sends its requests as everything else is sent (network/outgoing.ts):
 * by itself it obeys variables of its own, and asks a proxy for the metadata service too.
 */
export function sentByOwnAgents(): { readonly additionalPolicies: AdditionalPolicies } {
  const agents = new Map<string, Agent>();
  const metadataService = new URL(imdsHost()).origin;
  const agentFor = (url: URL) => {
    const agent = agents.get(url.origin) ?? (url.origin === metadataService ? direct : outgoingAgent(url, KEEP_ALIVE));
    agents.set(url.origin, agent);
    return agent;
  };
  return {
    additionalPolicies: [
      {
        position: "perRetry",
        policy: {
          name: "tezosSignerAgents",
          sendRequest: (request, next) => {
            request.agent = agentFor(new URL(request.url));
            return next(request);
          },
        },
      },
    ],
  };
}

const KEEP_ALIVE = { keepAlive: true };
