import { isDeepStrictEqual } from "node:util";
import { UNIT } from "../tezos/payload/micheline.ts";
import type { Operation, OperationKind } from "../tezos/payload/operation.ts";
import type { Field } from "./fields.ts";
import { unread } from "./unread.ts";
import { addressOf, stakingTerms, textOf, tez } from "./values.ts";

/** Where tez goes, and how much in all. Amounts are mutez in decimal, since JSON has no large numbers. */
export interface Destination {
  readonly address: string;
  readonly mutez: string;
}

/** What a request does as a whole, for the block beside the prompt: so many parts at most, whatever the bytes are. */
export interface Summary {
  /** How many operations there are of each kind, the gravest first: `1 delegation, 2 transaction`. */
  readonly kinds: string;
  /** Whom the operations are by; undefined where they name nobody. */
  readonly source: string | undefined;
  /** The largest sums first, at most {@link MOST_DESTINATIONS}. */
  readonly destinations: readonly Destination[];
  /** All other destinations together. */
  readonly rest: { readonly count: number; readonly mutez: string };
  /** What is paid in all, and for how much storage at most; undefined where nothing is. */
  readonly costs: { readonly fees: string; readonly storage: string } | undefined;
  /** Other things that change hands or hold from then on: a delegate, a key, a vote; calls in one, the last. At most {@link MOST_EFFECTS}. */
  readonly effects: readonly Field[];
  readonly moreEffects: number;
  /** Whole sentences of the signer's own, the gravest first. */
  readonly warnings: readonly string[];
  /** What the bytes hold and the words leave out. */
  readonly unread: { readonly fields: number; readonly operations: number };
}

/** More than these are counted and summed up. */
const MOST_DESTINATIONS = 8;
const MOST_EFFECTS = 8;

/** Above this, in mutez, a fee is out of the ordinary: octez-client itself refuses to pay more unasked (--fee-cap). */
const FEE_CAP = 1_000_000n;

/** What a kind does that its name does not say, the gravest first. */
const GRAVE: Readonly<Partial<Record<OperationKind, string>>> = {
  drain_delegate: "drain_delegate empties the delegate's account.",
  update_consensus_key: "update_consensus_key hands the baking of this account to another key.",
  update_companion_key: "update_companion_key gives another key a part in the baking of this account.",
  delegation: "delegation changes who bakes with this account's tez.",
  set_deposits_limit: "set_deposits_limit changes how much of this account is frozen for baking.",
  set_delegate_parameters: "set_delegate_parameters changes the terms for those who stake with this baker.",
  smart_rollup_publish: "smart_rollup_publish freezes 10,000 tez, which are lost where the commitment is refuted.",
  transfer_ticket: "transfer_ticket gives tickets away, whatever they are worth.",
  activate_account: "activate_account claims a fundraiser account.",
  origination: "origination makes a contract.",
  increase_paid_storage: "increase_paid_storage pays for the storage of a contract.",
  smart_rollup_execute_outbox_message:
    "smart_rollup_execute_outbox_message has a rollup's message done, which lies in its proof and is not read here.",
  failing_noop: "failing_noop is a signed text, which no chain takes.",
};

/** Sums up operations. @param address public key hash of the key that is asked */
export function summarise(operations: readonly Operation[], address: string): Summary {
  const [first] = operations;
  const source = first !== undefined && "source" in first ? first.source : undefined;
  const { destinations, rest } = destinationsOf(operations);
  const effects = allEffects(operations);
  const left = operations.map((operation) => unread(operation).length).filter((count) => count > 0);
  return {
    kinds: kindsOf(operations),
    source,
    destinations,
    rest,
    costs: costsOf(operations),
    effects: effects.slice(0, MOST_EFFECTS),
    moreEffects: Math.max(0, effects.length - MOST_EFFECTS),
    warnings: warningsOf(operations, source, address),
    unread: { fields: left.reduce((sum, count) => sum + count, 0), operations: left.length },
  };
}

/** Sums up packed data, which moves nothing by itself. @param shown what is in it, as far as it is read */
export function summarisePack(shown: readonly Field[]): Summary {
  return {
    kinds: "packed data (0x05)",
    source: undefined,
    destinations: [],
    rest: { count: 0, mutez: "0" },
    costs: undefined,
    effects: shown,
    moreEffects: 0,
    warnings: ["Nobody here knows what packed data is for. Sign it only if you know where it comes from."],
    unread: { fields: 0, operations: 0 },
  };
}

function kindsOf(operations: readonly Operation[]): string {
  const kinds = Map.groupBy(operations, ({ kind }) => kind);
  const sorted = [...kinds].toSorted(([one], [other]) => gravity(one) - gravity(other));
  return sorted.map(([kind, { length }]) => `${length} ${kind}`).join(", ");
}

/** The place of a kind in {@link GRAVE}; the others come after those. */
function gravity(kind: OperationKind): number {
  const place = Object.keys(GRAVE).indexOf(kind);
  return place < 0 ? Number.MAX_SAFE_INTEGER : place;
}

/**
 * Lists what else happens, each thing once: the gravest kind first, and of a kind what was asked for last, which is what
 * holds in the end. Calls are one thing, since an attacker can make as many as they like.
 */
function allEffects(operations: readonly Operation[]): readonly Field[] {
  const gravest = operations.toReversed().toSorted((one, other) => gravity(one.kind) - gravity(other.kind));
  const effects = gravest.flatMap(effectsOf);
  const once = [...new Map(effects.map((effect) => [`${effect.label} ${effect.value}`, effect])).values()];
  const calls = new Set(
    operations.flatMap((each) =>
      each.kind === "transaction" && !isPlain(each) ? [`${each.entrypoint} of ${each.destination}`] : [],
    ),
  );
  return calls.size === 0 ? once : [...once, { label: "Calls", value: [...calls].join(", ") }];
}

function destinationsOf(operations: readonly Operation[]): Pick<Summary, "destinations" | "rest"> {
  const sums = new Map<string, bigint>();
  for (const operation of operations) {
    const moved = movedBy(operation);
    if (moved !== undefined) sums.set(moved.to, (sums.get(moved.to) ?? 0n) + moved.mutez);
  }
  const sorted = [...sums].toSorted(([, one], [, other]) => (one < other ? 1 : one > other ? -1 : 0));
  const others = sorted.slice(MOST_DESTINATIONS);
  return {
    destinations: sorted.slice(0, MOST_DESTINATIONS).map(([address, mutez]) => ({ address, mutez: String(mutez) })),
    rest: { count: others.length, mutez: String(others.reduce((sum, [, mutez]) => sum + mutez, 0n)) },
  };
}

function movedBy(operation: Operation): { to: string; mutez: bigint } | undefined {
  switch (operation.kind) {
    case "transaction":
    case "stake":
    case "unstake":
    case "finalize_unstake":
    case "set_delegate_parameters":
      return { to: operation.destination, mutez: operation.amount };
    case "transfer_ticket":
      return { to: operation.destination, mutez: 0n };
    case "origination":
      return { to: "a new contract", mutez: operation.balance };
    default:
      return undefined;
  }
}

function costsOf(operations: readonly Operation[]): Summary["costs"] {
  const paid = operations.filter((operation) => "fee" in operation);
  if (paid.length === 0) return undefined;
  const fees = paid.reduce((sum, { fee }) => sum + fee, 0n);
  const storage = paid.reduce((sum, { storageLimit }) => sum + storageLimit, 0n);
  return { fees: tez(fees), storage: `up to ${storage} bytes` };
}

function effectsOf(operation: Operation): readonly Field[] {
  switch (operation.kind) {
    case "delegation":
      return [{ label: "Delegate", value: newDelegate(operation.delegate, operation.source) }];
    case "origination":
      return operation.delegate === undefined ? [] : [{ label: "Delegate", value: operation.delegate }];
    case "update_consensus_key":
      return [{ label: "Baker key", value: addressOf(operation.publicKey) }];
    case "update_companion_key":
      return [{ label: "Companion", value: addressOf(operation.publicKey) }];
    case "reveal":
      return [{ label: "Reveals", value: addressOf(operation.publicKey) }];
    case "set_deposits_limit":
      return [{ label: "Limit", value: operation.limit === undefined ? "none" : tez(operation.limit) }];
    case "set_delegate_parameters": {
      const terms = stakingTerms(operation.parameters);
      return terms === undefined
        ? []
        : [
            { label: "Limit", value: terms.limit },
            { label: "Edge", value: terms.edge },
          ];
    }
    case "transfer_ticket":
      return [
        { label: "Tickets", value: String(operation.amount) },
        { label: "Gives to", value: operation.destination },
      ];
    case "drain_delegate":
      return [
        { label: "Drains", value: operation.delegate },
        { label: "Drains to", value: operation.destination },
      ];
    case "activate_account":
      return [{ label: "Account", value: operation.address }];
    case "increase_paid_storage":
      return [{ label: "Pays for", value: operation.destination }];
    case "ballot":
      return [{ label: "Votes", value: `${operation.ballot} ${operation.proposal}` }];
    case "failing_noop": {
      const text = textOf(Buffer.from(operation.arbitrary, "hex"));
      return [text === undefined ? { label: "Bytes", value: operation.arbitrary } : { label: "Text", value: text }];
    }
    case "proposals":
      return operation.proposals.map((value) => ({ label: "Proposes", value }));
    default:
      return "rollup" in operation ? [{ label: "Rollup", value: operation.rollup }] : [];
  }
}

/** Shorter than in the details: who oneself is stands in the block already. */
function newDelegate(to: string | undefined, source: string): string {
  return to === source ? "itself (registers as a baker)" : (to ?? "none");
}

function isPlain({ entrypoint, parameters }: Extract<Operation, { kind: "transaction" }>): boolean {
  return entrypoint === "default" && "prim" in parameters && isDeepStrictEqual(parameters, UNIT);
}

function warningsOf(operations: readonly Operation[], source: string | undefined, address: string): readonly string[] {
  const kinds = new Set(operations.map(({ kind }) => kind));
  const transactions = operations.filter((operation) => operation.kind === "transaction");
  const calls = transactions.filter((operation) => !isPlain(operation)).length;
  const contracts = transactions.filter((each) => isPlain(each) && each.destination.startsWith("KT1")).length;
  const fees = operations.flatMap((operation) => ("fee" in operation ? [operation.fee] : []));
  const messages = operations.flatMap((each) =>
    each.kind === "smart_rollup_add_messages" ? each.messages : [],
  ).length;
  const sum = fees.reduce((all, fee) => all + fee, 0n);
  const high = fees.filter((fee) => fee > FEE_CAP).length;
  return [
    ...(source !== undefined && source !== address ? ["The source is not the key that is asked."] : []),
    ...Object.entries(GRAVE).flatMap(([kind, sentence]) => (kinds.has(kind as OperationKind) ? [sentence] : [])),
    ...(messages > 0 ? [`Messages to all rollups, which decide what follows: ${messages}.`] : []),
    ...(calls > 0
      ? [`${calls} of ${operations.length} call an entrypoint with parameters, which decide what follows.`]
      : []),
    ...(contracts > 0 ? [`${contracts} of ${operations.length} pay a contract, which decides what follows.`] : []),
    ...(high > 0 ? [`${high} of ${operations.length} pay a fee above ${tez(FEE_CAP)}.`] : []),
    ...(high === 0 && sum > FEE_CAP ? [`The fees together are above ${tez(FEE_CAP)}: ${tez(sum)}.`] : []),
  ];
}
