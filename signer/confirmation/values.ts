import { decode, encode, type Prefix } from "../tezos/crypto/base58.ts";
import { blake2b160 } from "../tezos/crypto/digest.ts";
import { type Micheline, readScript } from "../tezos/payload/micheline.ts";
import { PayloadError, Reader } from "../tezos/payload/reader.ts";

/**
 * Writes single values in words. Pure; nothing is cut off, and nothing is made fit for a terminal: visible.ts does that.
 * @module
 */

const MUTEZ = 1_000_000n;

/** Writes a number of millionths with exact decimals: 1500000n is "1.5". */
function millionths(value: bigint): string {
  const sign = value < 0n ? "-" : "";
  const size = value < 0n ? -value : value;
  const decimals = (size % MUTEZ).toString().padStart(6, "0").replace(/0+$/, "");
  return `${sign}${size / MUTEZ}${decimals && `.${decimals}`}`;
}

/** Writes an amount with exact decimals: 1500000n is "1.5 tez". */
export function tez(mutez: bigint): string {
  return `${millionths(mutez)} tez`;
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

const ADDRESSES = { edpk: "tz1", sppk: "tz2", p2pk: "tz3", BLpk: "tz4" } as const satisfies Partial<
  Record<Prefix, Prefix>
>;

/** Returns the address of a public key, of whichever curve. */
export function addressOf(publicKey: string): string {
  const { prefix, bytes } = decode(publicKey, "edpk", "sppk", "p2pk", "BLpk");
  return encode(ADDRESSES[prefix], blake2b160(bytes));
}

/** What a baker's terms for those who stake with it mean (staking_parameters_repr.ml). */
export interface StakingTerms {
  /** limit_of_staking_over_baking, in millionths. */
  readonly limit: string;
  /** edge_of_baking_over_staking, in billionths. */
  readonly edge: string;
}

/** Reads the parameters of set_delegate_parameters, in either form of a pair. @returns undefined where they are none */
export function stakingTerms(node: Micheline): StakingTerms | undefined {
  const [limit, rest] = pair(node) ?? [];
  const [edge, end] = (rest && pair(rest)) ?? [];
  if (limit === undefined || edge === undefined || end === undefined) return undefined;
  if (!(isShort(limit) && isShort(edge) && "prim" in end && end.prim === "Unit")) return undefined;
  return {
    limit: `others may stake up to ${millionths(BigInt(limit.int))} times the baker's own stake (${limit.int} millionths)`,
    edge: `the baker keeps ${percent(BigInt(edge.int))} of their rewards (${edge.int} billionths)`,
  };
}

/** Whether this is a number that the protocol could take: a longer one would only hold the signer up. */
function isShort(node: Micheline): node is { readonly int: string } {
  return "int" in node && node.int.length <= 20;
}

/** Takes a pair apart, in any of its forms: `Pair 1 (Pair 2 3)`, `Pair 1 2 3`, `{ 1 ; 2 ; 3 }`. */
function pair(node: Micheline): readonly [Micheline, Micheline] | undefined {
  const parts: readonly Micheline[] = "prim" in node ? (node.prim === "Pair" ? (node.args ?? []) : []) : sequence(node);
  const [first, second, ...more] = parts;
  if (first === undefined || second === undefined) return undefined;
  return [first, more.length === 0 ? second : { prim: "Pair", args: [second, ...more] }];
}

function sequence(node: Micheline): readonly Micheline[] {
  return Array.isArray(node) ? node : [];
}

/** Writes billionths as percent: 50000000n is "5 %". */
function percent(billionths: bigint): string {
  const scaled = (billionths * 100n).toString().replace("-", "").padStart(10, "0");
  const decimals = scaled.slice(-9).replace(/0+$/, "");
  return `${billionths < 0n ? "-" : ""}${scaled.slice(0, -9)}${decimals && `.${decimals}`} %`;
}

/** Returns the text that bytes hold, if they hold nothing else. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return text !== "" && !/(?![\n\r\t])[\p{Cc}\p{Cn}\p{Co}\p{Cs}]/u.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

/** What lies in packed data: a text, or a Michelson expression. */
export type Packed = { readonly text: string } | { readonly expression: Micheline };

/**
 * Reads packed data, as far as it can be shown: wallets pack a text so, also where Michelson would not take its letters.
 * @param payload from the byte 05 on
 * @returns undefined where nobody here reads it
 */
export function unpack(payload: Uint8Array): Packed | undefined {
  const content = Buffer.from(payload.subarray(1));
  if (content[0] === 1 && content.length >= 5 && content.readUInt32BE(1) === content.length - 5) {
    const text = textOf(content.subarray(5));
    if (text !== undefined) return { text };
  }
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  try {
    return { expression: readScript(new Reader(Buffer.concat([length, content])), "packed data") };
  } catch (error) {
    if (error instanceof PayloadError) return undefined;
    throw error;
  }
}
