import type { ConsensusRequest } from "../tezos/payload/payload.ts";

/**
 * Whether a block or a vote is near the head of its chain. Pure: the follower looks at the node, this decides.
 *
 * It guards against a baker that works on a wrong or old chain, and never against double signing: that is the watermarks'
 * work, which needs no node. So a head that is not known lets requests pass unless the settings say otherwise: a node
 * that is down must not stop a baker, and whoever silences it gains nothing that the watermarks would not refuse.
 * The node is believed: one that lies about its level can stop this baker, and can make it sign nothing.
 * @module
 */

/** The chain's head as a node tells it. */
export interface Head {
  /** Net… */
  readonly chainId: string;
  readonly level: number;
  /** When the block was made by its own account, milliseconds since 1970. */
  readonly timestamp: number;
  /** When the node told it, milliseconds since 1970. */
  readonly seenAt: number;
}

export interface HeadRule {
  /** The node's address. */
  readonly node: string;
  /** Levels that a request may be below the head. */
  readonly maxBehind: number;
  /** Levels that a request may be above the head, besides one for each second since the node told it. */
  readonly maxAhead: number;
  /** Age above which a head is not known any more, of the block and of the node's answer, in seconds. */
  readonly maxAge: number;
  readonly whenUnknown: "sign" | "refuse";
}

/** Whether the followed head lets a level pass. */
export type HeadDecision =
  /** `highest`: the highest level that the head explains now. */
  | { readonly verdict: "near"; readonly highest: number }
  | { readonly verdict: "behind" | "ahead" | "unknown"; readonly reason: string };

/** Clocks differ: a block this far in the future, in milliseconds, is still believed. */
const CLOCK_SKEW = 15_000;

/** The head as it was last seen, beside the requests: none of them waits for a node. */
export interface ChainHead {
  /** Returns the head of this node; undefined where it has told none, or another node is followed. */
  of(node: string): Head | undefined;
}

/** Says why a head does not count as known; undefined where it does. @param now milliseconds since 1970 */
export function headUnknownReason(head: Head | undefined, { maxAge }: HeadRule, now: number): string | undefined {
  if (head === undefined) return "the node has told no head";
  const unseen = Math.round((now - head.seenAt) / 1_000);
  if (unseen > maxAge) return `the node last answered ${unseen} s ago`;
  const age = Math.round((now - head.timestamp) / 1_000);
  if (age > maxAge) return `the node's head is ${age} s old: the node or the chain stands still, or a clock is wrong`;
  if (head.timestamp > now + CLOCK_SKEW) return `the node's head is of ${-age} s from now: a clock is wrong`;
  return undefined;
}

/**
 * Decides one request.
 * @param head as last seen
 * @param now milliseconds since 1970
 */
export function decideByHead(
  rule: HeadRule,
  head: Head | undefined,
  { chainId, level }: Pick<ConsensusRequest, "chainId" | "level">,
  now: number,
): HeadDecision {
  const unknown = headUnknownReason(head, rule, now);
  if (head === undefined || unknown !== undefined) return { verdict: "unknown", reason: `${unknown}` };
  if (head.chainId !== chainId) {
    return { verdict: "unknown", reason: `the node is on ${head.chainId}, the request on ${chainId}` };
  }
  const reason = `level ${level} is asked, and the head is at ${head.level}`;
  if (level < head.level - rule.maxBehind) return { verdict: "behind", reason };
  // One level a second is more than any Tezos chain makes: what time explains is not held against the baker.
  const since = Math.max(0, Math.ceil((now - head.seenAt) / 1_000));
  const highest = head.level + rule.maxAhead + since;
  return level > highest ? { verdict: "ahead", reason } : { verdict: "near", highest };
}
