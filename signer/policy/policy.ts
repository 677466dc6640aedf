import type { OperationKind } from "../tezos/payload/operation.ts";
import type { ConsensusKind, SigningRequest } from "../tezos/payload/payload.ts";

/** What a key may be asked to sign, by the names that settings use. */
export type Permission = ConsensusKind | OperationKind | "pack";

export interface KeyPolicy {
  readonly allow: readonly Permission[];
  /** What waits for a person's yes: kinds of operations and `pack`, none of which is in `allow`. */
  readonly confirm?: readonly Permission[] | undefined;
  /** Whether clients must sign their requests for this key, where the settings name clients' keys; absent: they must. */
  readonly authentication?: boolean | undefined;
  /** Chain ids whose blocks and votes may be signed; absent means any. Operations do not carry their chain. */
  readonly chains?: readonly string[] | undefined;
}

/** Each key's rule: its own where it has one, else the default, else nothing is allowed. */
export interface Policy {
  readonly default?: KeyPolicy | undefined;
  /** By public key hash. */
  readonly keys: ReadonlyMap<string, KeyPolicy>;
}

/** Returns the rule of a key: its own, or the default. */
export function policyOf(policy: Policy, address: string): KeyPolicy {
  return policy.keys.get(address) ?? policy.default ?? { allow: [] };
}

/**
 * Empties the manager's balance when the consensus key signs it (protocol 025, drain_delegate): it must be
 * allowed under the key's own address.
 */
const NEVER_BY_DEFAULT: readonly Permission[] = ["drain_delegate"];

/** What a key's rule would need to let a request through. */
export interface Lack {
  /** Kinds that no list has which counts. */
  readonly kinds: readonly Permission[];
  /** Whether the default's lists do not count for them. */
  readonly needsOwnRule?: boolean;
  /** The chain that is not named. */
  readonly chain?: string;
}

/** What a key's rule says to a request; a refusal has its reason in words for the client. */
export type PolicyDecision =
  | { readonly verdict: "allow" | "confirm" }
  | { readonly verdict: "refuse"; readonly reason: string; readonly lack: Lack };

/**
 * Decides a request by the rule of its key. Every operation of a batch must be in `allow` or `confirm`, and one that waits
 * for a person makes the whole batch wait.
 */
export function decideByPolicy(policy: Policy, address: string, request: SigningRequest): PolicyDecision {
  const own = policy.keys.has(address);
  const { allow, confirm = [], chains } = policyOf(policy, address);
  const asked = permissions(request);
  const kinds = [...new Set(asked)].filter(
    (permission) => !allow.includes(permission) && !confirm.includes(permission),
  );
  const isKept = (permission: Permission) => !own && NEVER_BY_DEFAULT.includes(permission);
  const kept = asked.filter(isKept);
  if (kinds.length > 0 && !kinds.some(isKept)) {
    const are = kinds.length === 1 ? "is" : "are";
    return refuse(`${kinds.join(", ")} ${are} not in the \`allow\` list of ${address}, nor in its \`confirm\` list`, {
      kinds,
    });
  }
  if (kept.length > 0) {
    const reason = `${kept.join(", ")} must be in a list under ${address} itself; the default's does not count`;
    return refuse(reason, { kinds: kept, needsOwnRule: true });
  }
  if (request.type === "consensus" && chains !== undefined && !chains.includes(request.chainId)) {
    const reason = `chain ${request.chainId} is not in the \`chains\` list of ${address}`;
    return refuse(reason, { kinds: [], chain: request.chainId });
  }
  return { verdict: asked.some((permission) => confirm.includes(permission)) ? "confirm" : "allow" };
}

function refuse(reason: string, lack: Lack): PolicyDecision {
  return { verdict: "refuse", reason, lack };
}

function permissions(request: SigningRequest): readonly Permission[] {
  switch (request.type) {
    case "consensus":
      return [request.kind];
    case "operation":
      return request.operations.map(({ kind }) => kind);
    case "pack":
      return ["pack"];
  }
}
