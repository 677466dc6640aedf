import type { Micheline } from "../tezos/payload/micheline.ts";
import type {
  ManagerFields,
  ManagerHeader,
  Operation,
  OperationKind,
  SingleFields,
  TransactionFields,
} from "../tezos/payload/operation.ts";
import type { OperationRequest, PackRequest } from "../tezos/payload/payload.ts";

/**
 * Describes a request in words, for the person who must confirm it. Every field that the bytes hold is shown, whatever its kind:
 * the fields are walked, not chosen. Pure; what comes out is one line an item, without control characters.
 * @module
 */

const MUTEZ = 1_000_000n;
const COLUMNS = 78;

/** Writes an amount with exact decimals: 1500000n is "1.5 tez". */
export function tez(mutez: bigint): string {
  const decimals = (mutez % MUTEZ).toString().padStart(6, "0").replace(/0+$/, "");
  return `${mutez / MUTEZ}${decimals && `.${decimals}`} tez`;
}

/** How a field must be shown: a bigint is an amount or a plain number, which only its meaning tells. */
type FormatOf<Value> = [NonNullable<Value>] extends [bigint]
  ? "tez" | "number"
  : [NonNullable<Value>] extends [Micheline]
    ? "micheline"
    : never;

/** The format of each field that has one. */
type Formats<Fields> = {
  readonly [Name in keyof Fields as FormatOf<Fields[Name]> extends never ? never : Name]-?: FormatOf<Fields[Name]>;
};

type FieldsByKind = ManagerFields & SingleFields;

const HEADER: Formats<ManagerHeader> = { fee: "tez", counter: "number", gasLimit: "number", storageLimit: "number" };

const TRANSACTION: Formats<TransactionFields> = { amount: "tez", parameters: "micheline" };

/** How fields are shown, by kind. A new field that could be an amount does not compile until it is said here which it is. */
const FORMATS: {
  readonly [Kind in OperationKind as keyof Formats<FieldsByKind[Kind]> extends never ? never : Kind]: Formats<
    FieldsByKind[Kind]
  >;
} = {
  transaction: TRANSACTION,
  stake: TRANSACTION,
  unstake: TRANSACTION,
  finalize_unstake: TRANSACTION,
  set_delegate_parameters: TRANSACTION,
  origination: { balance: "tez", code: "micheline", storage: "micheline" },
  register_global_constant: { value: "micheline" },
  set_deposits_limit: { limit: "tez" },
  increase_paid_storage: { bytes: "number" },
  transfer_ticket: { contents: "micheline", type: "micheline", amount: "number" },
  smart_rollup_originate: { parametersType: "micheline" },
  smart_rollup_publish: { ticks: "number" },
};

function formatOf(kind: OperationKind, name: string): "tez" | "number" | "micheline" | undefined {
  const own: Partial<Record<string, Formats<object>>> = FORMATS;
  const formats: Partial<Record<string, ReturnType<typeof formatOf>>> = { ...HEADER, ...own[kind] };
  return formats[name];
}

/** Above this, in mutez, a fee is out of the ordinary: octez-client itself refuses to pay more unasked (--fee-cap). */
const FEE_CAP = MUTEZ;

/** What a kind does that its name does not say. */
const WARNINGS: Readonly<Partial<Record<Operation["kind"], string>>> = {
  drain_delegate: "empties the delegate's account",
  update_consensus_key: "hands the baking of this account to another key",
  update_companion_key: "gives another key a part in the baking of this account",
  delegation: "changes who bakes with this account's tez",
  origination: "makes a contract",
  failing_noop: "is a signed text, which no chain takes",
  activate_account: "claims a fundraiser account",
};

/**
 * Makes the lines that a person reads. Those that begin with "!" are out of the ordinary.
 * @param request what waits
 * @param address public key hash of the key that is asked
 * @param payload the bytes to be signed: shown where nobody here reads them
 */
export function describe(
  request: OperationRequest | PackRequest,
  address: string,
  payload: Uint8Array,
): readonly string[] {
  if (request.type === "pack") {
    return [
      "packed data (0x05)",
      "! This signer does not read it. Sign it only if you know where it comes from.",
      ...fold("  bytes: ", Buffer.from(payload).toString("hex")),
    ];
  }
  const { operations } = request;
  const many = operations.length > 1;
  const lines = operations.flatMap((operation, index) => [
    `${many ? `${index + 1} of ${operations.length}: ` : ""}${operation.kind}`,
    ...warnings(operation, address),
    ...fields(operation),
  ]);
  return many ? [...lines, `In all: ${summary(operations)}`] : lines;
}

function fields({ kind, tag, ...rest }: Operation): string[] {
  return Object.entries(rest).flatMap(([name, value]) => {
    const label = `  ${name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}`;
    const format = formatOf(kind, name);
    if (format === "tez" && typeof value === "bigint") return [`${label}: ${tez(value)}`];
    if (format === "micheline") return fold(`${label}: `, micheline(value as Micheline));
    return show(label, value);
  });
}

/** Any other value: lists and what has parts go on below, indented. */
function show(label: string, value: unknown): string[] {
  if (value === undefined) return [`${label}: none`];
  if (typeof value !== "object" || value === null) return fold(`${label}: `, String(value));
  const indent = label.search(/\S/) + 2;
  return [`${label}:`, ...Object.entries(value).flatMap(([name, part]) => show(`${" ".repeat(indent)}${name}`, part))];
}

function warnings(operation: Operation, address: string): string[] {
  const found: string[] = [];
  const note = WARNINGS[operation.kind];
  if (note !== undefined) found.push(`This ${note}.`);
  if ("source" in operation && operation.source !== address) {
    found.push(`The source is not ${address}, the key that is asked.`);
  }
  if ("fee" in operation && operation.fee > FEE_CAP) found.push(`The fee is ${tez(operation.fee)}.`);
  if (operation.kind === "transaction") {
    const { destination, entrypoint, parameters } = operation;
    const isPlain = entrypoint === "default" && "prim" in parameters && micheline(parameters) === "Unit";
    if (!isPlain) found.push(`This calls the entrypoint ${entrypoint} of ${destination}.`);
    else if (destination.startsWith("KT1")) found.push("The destination is a contract, which decides what follows.");
  }
  return found.map((text) => `! ${text}`);
}

/** What a batch does as a whole, since its beginning may have left the screen. */
function summary(operations: readonly Operation[]): string {
  const kinds = Map.groupBy(operations, ({ kind }) => kind);
  const counts = [...kinds].map(([kind, { length }]) => `${length} ${kind}`).join(", ");
  const sum = (...names: readonly string[]) => {
    const amounts = operations.flatMap(({ kind, ...fields }) =>
      Object.entries(fields).map(([name, value]) =>
        names.includes(name) && formatOf(kind, name) === "tez" && typeof value === "bigint" ? value : 0n,
      ),
    );
    return tez(amounts.reduce((total, each) => total + each, 0n));
  };
  return `${counts}; amounts of ${sum("amount", "balance")}, fees of ${sum("fee")}`;
}

/** Writes Micheline as octez-client does: `Pair 1 "text" (Some 0x00)`. */
export function micheline(node: Micheline, isArgument = false): string {
  if ("int" in node) return node.int;
  if ("string" in node) return JSON.stringify(node.string);
  if ("bytes" in node) return `0x${node.bytes}`;
  if (!("prim" in node)) return node.length === 0 ? "{}" : `{ ${node.map((each) => micheline(each)).join(" ; ")} }`;
  const { prim, annots = [], args = [] } = node;
  const words = [prim, ...annots, ...args.map((each) => micheline(each, true))];
  return isArgument && words.length > 1 ? `(${words.join(" ")})` : words.join(" ");
}

/** Long values go on below: nothing is cut off. No character of them can steer a terminal or turn its text around. */
function fold(label: string, value: string): string[] {
  const text = value.replaceAll(/\p{Cc}|\p{Cf}/gu, "\u{fffd}");
  if (label.length + text.length <= COLUMNS) return [`${label}${text}`];
  const rows = text.match(/.{1,72}/gsu) ?? [];
  return [label.trimEnd(), ...rows.map((row) => `      ${row}`)];
}
