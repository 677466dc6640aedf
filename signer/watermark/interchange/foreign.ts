import { z } from "zod";
import { decode, encode } from "../../tezos/crypto/base58.ts";
import type { ConsensusKind } from "../../tezos/payload/payload.ts";
import { HIGHEST_ROUND } from "../decision.ts";
import { checkNames, InterchangeError, markOf, type NamedMark } from "./format.ts";

/**
 * What the records of other signers share. Their digests are Blake2b-256 of the whole payload as ours are; where one is
 * missing it stays unknown, so nothing at that position is signed again.
 * @module
 */

/** A level, or a round. */
export const int32 = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);

/** A number as DynamoDB and Firestore write it: its digits, as a text. */
export const digits = z.string().regex(/^\d+$/, { error: "must be a number in digits" }).transform(Number).pipe(int32);

/** Names that other signers have, or had, for our three kinds. */
const KINDS: ReadonlyMap<string, ConsensusKind> = new Map([
  ["block", "block"],
  ["preattestation", "preattestation"],
  ["preendorsement", "preattestation"],
  ["attestation", "attestation"],
  ["attestation_with_dal", "attestation"],
  ["endorsement", "attestation"],
]);

/** Returns the kind of a name; undefined for any other name. */
export function kindNamed(name: string): ConsensusKind | undefined {
  return KINDS.get(name);
}

/** Returns the kind of a name. @throws InterchangeError for a name of no kind */
export function kindOf(name: string): ConsensusKind {
  const kind = kindNamed(name);
  if (kind === undefined) throw new InterchangeError(`There is no kind of request named ${name}.`);
  return kind;
}

/** Reads hex, or base58 with the prefix of a payload hash; undefined for any other form, which is then not known. */
export function digestOf(hash: string | null | undefined): string | undefined {
  if (hash === undefined || hash === null) return undefined;
  if (/^[0-9a-f]{64}$/.test(hash)) return hash;
  try {
    return Buffer.from(decode(hash, "vh").bytes).toString("hex");
  } catch {
    return undefined;
  }
}

/** A position that was signed, by which bytes is told where it is known. */
export interface Signed {
  readonly level: number;
  /** Absent: every round of the level. */
  readonly round?: number | null | undefined;
  /** Hex; absent where the bytes are not known. */
  readonly digest?: string | undefined;
}

/** Makes a mark. @throws InterchangeError where chain or address is none */
export function named(chainId: string, address: string, kind: ConsensusKind, signed: Signed): NamedMark {
  checkNames(chainId, address);
  const { level, round, digest } = signed;
  const mark = typeof round === "number" ? markOf(level, round, digest) : markOf(level, HIGHEST_ROUND, undefined);
  return { key: { chainId, address, kind }, mark };
}

/** Returns the chain id of its four bytes. */
export function chainOf(bytes: Uint8Array): string {
  return encode("Net", bytes);
}

/**
 * Refuses a listing that was cut short, which would leave marks behind.
 * @throws InterchangeError where it says of itself that it goes on
 */
export function refuseCut(listing: object, ...marks: readonly string[]): void {
  const told = marks.find((name) => Object.hasOwn(listing, name) && Object.entries(listing).some(isTold(name)));
  if (told === undefined) return;
  throw new InterchangeError(`It is a part of the record: its \`${told}\` says that more follows. Fetch all of it.`);
}

/** Requires that a scan by `aws dynamodb scan` is whole. @throws InterchangeError where it is not the whole table */
export function requireWholeScan(scan: { readonly Items: readonly unknown[]; readonly ScannedCount?: unknown }): void {
  refuseCut(scan, "NextToken", "LastEvaluatedKey");
  const { Items: items, ScannedCount: scanned } = scan;
  if (typeof scanned !== "number" || scanned === items.length) return;
  throw new InterchangeError(
    `It is a part of the record: ${items.length} items of the ${scanned} that were looked at. Scan the table without a filter.`,
  );
}

function isTold(name: string) {
  return ([key, value]: [string, unknown]) => key === name && value !== null && value !== "";
}
