import { type Policy, policyOf } from "../policy/policy.ts";
import { CONSENSUS_KINDS } from "../tezos/payload/consensus-kind.ts";
import type { RowKey } from "../watermark/stores/store.ts";

/**
 * Lists the watermark rows that keys need by their policies. They are made at start where that is allowed: a small baker's first block may
 * come days after the window for making rows has closed. A policy that names no chain allows any, and none can be foreseen.
 */
export function requiredRows(addresses: Iterable<string>, policy: Policy): RowKey[] {
  return [...addresses].flatMap((address) => {
    const { allow, chains = [] } = policyOf(policy, address);
    const kinds = CONSENSUS_KINDS.filter((kind) => allow.includes(kind));
    return chains.flatMap((chainId) => kinds.map((kind) => ({ chainId, address, kind })));
  });
}
