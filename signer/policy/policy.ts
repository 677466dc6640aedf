import type { OperationKind } from "../tezos/operation.ts";
import type { SigningRequest } from "../tezos/payload.ts";

/** What a key may be asked to sign, by the names that settings use. */
export type Permission = "block" | "preattestation" | "attestation" | OperationKind | "pack";

export interface KeyPolicy {
  readonly allow: readonly Permission[];
  /** Chain ids whose blocks and votes may be signed; absent means any. Operations do not carry their chain. */
  readonly chains?: readonly string[] | undefined;
}

/** Each key's rule: its own where it has one, else the default, else nothing is allowed. */
export interface Policy {
  readonly default?: KeyPolicy | undefined;
  /** By public key hash. */
  readonly keys: ReadonlyMap<string, KeyPolicy>;
}

/** The rule that holds for a key. */
export function policyOf(policy: Policy, address: string): KeyPolicy {
  return policy.keys.get(address) ?? policy.default ?? { allow: [] };
}

/**
 * Empties the manager's balance when the consensus key signs it (protocol 025, drain_delegate): never by a default that was
 * written with other keys in mind.
 */
const NEVER_BY_DEFAULT: readonly Permission[] = ["drain_delegate"];

/**
 * Why the policy refuses a request, in words for the client, or undefined where it allows it.
 * Every operation of a batch must be allowed.
 */
export function refusal(policy: Policy, address: string, request: SigningRequest): string | undefined {
  const own = policy.keys.has(address);
  const { allow, chains } = policyOf(policy, address);
  for (const permission of permissions(request)) {
    if (!allow.includes(permission)) return `${permission} is not in the \`allow\` list of ${address}`;
    if (!own && NEVER_BY_DEFAULT.includes(permission)) {
      return `${permission} must be in an \`allow\` list under ${address} itself; the default's does not count`;
    }
  }
  if (request.class === "consensus" && chains !== undefined && !chains.includes(request.chainId)) {
    return `chain ${request.chainId} is not in the \`chains\` list of ${address}`;
  }
  return undefined;
}

function permissions(request: SigningRequest): readonly Permission[] {
  switch (request.class) {
    case "consensus":
      return [request.kind];
    case "operation":
      return request.operations.map(({ kind }) => kind);
    case "pack":
      return ["pack"];
  }
}
