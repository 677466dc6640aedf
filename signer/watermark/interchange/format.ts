import { z } from "zod";
import { messageOf } from "../../errors.ts";
import { decode } from "../../tezos/crypto/base58.ts";
import { CONSENSUS_KINDS } from "../../tezos/payload/consensus-kind.ts";
import type { Mark } from "../decision.ts";
import type { Row, RowKey } from "../stores/store.ts";

/**
 * Watermarks as a file, to be carried from one signer to another: docs/reference/interchange.md. What it says is a minimum:
 * whoever imports it takes the higher of what both know.
 * @module
 */

export const FORMAT = "tezos-signer-watermarks";

/** One mark with what it is about. */
export interface NamedMark {
  readonly key: RowKey;
  readonly mark: Mark;
}

/** What one file tells. */
export interface MarkRecord {
  readonly marks: readonly NamedMark[];
  /** When its marks were read from their store, in milliseconds since 1970; absent where it does not say. */
  readonly writtenAt?: number;
  /** What a person must know who relies on it, in whole sentences. */
  readonly notes?: readonly string[];
}

const int32 = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);

export const interchangeSchema = z.strictObject({
  format: z.literal(FORMAT, { error: `must be ${FORMAT}; another signer's file is read with --from` }),
  version: z.literal(1, { error: "must be 1: only a newer release reads this file" }),
  /** Id of the store that this was read from. */
  storeId: z.string().min(1).optional(),
  exportedAt: z.iso.datetime().optional(),
  watermarks: z.array(
    z.strictObject({
      chainId: z.string().regex(/^Net[1-9A-HJ-NP-Za-km-z]{12}$/),
      publicKeyHash: z.string().regex(/^tz[1-4][1-9A-HJ-NP-Za-km-z]{33}$/),
      kind: z.enum(CONSENSUS_KINDS),
      level: int32,
      round: int32,
      /** Blake2b-256 of the payload with its magic byte, hex; absent where it is not known. */
      digest: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .optional(),
      /** A block's released signature, r || s, hex. */
      signature: z
        .string()
        .regex(/^[0-9a-f]{128}$/)
        .optional(),
    }),
  ),
});

/** A file that cannot be taken for a record of what was signed. */
export class InterchangeError extends Error {
  override readonly name = "InterchangeError";
}

/** Writes watermarks as an interchange file. @returns the file's text, rows in an order that does not change */
export function writeInterchange(storeId: string, rows: readonly { key: RowKey; row: Row }[], now: Date): string {
  const watermarks = rows.map(({ key: { chainId, address, kind }, row: { level, round, digest, signature } }) => ({
    chainId,
    publicKeyHash: address,
    kind,
    level,
    round,
    ...(digest === undefined ? {} : { digest }),
    ...(signature === undefined ? {} : { signature }),
  }));
  const order = ({ publicKeyHash, chainId, kind }: (typeof watermarks)[number]) =>
    `${publicKeyHash} ${chainId} ${kind}`;
  watermarks.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  return `${JSON.stringify({ format: FORMAT, version: 1, storeId, exportedAt: now.toISOString(), watermarks }, null, 2)}\n`;
}

/** Reads what {@link writeInterchange} wrote. @throws InterchangeError naming every mistake and its place */
export function readInterchange(text: string): MarkRecord {
  const json = parseJson(text);
  if ((json as { format?: unknown } | null)?.format !== FORMAT) {
    throw new InterchangeError(`It is no file of \`watermarks export\`: its \`format\` is not ${FORMAT}.`);
  }
  const { watermarks, exportedAt } = checkForm(interchangeSchema, json);
  const marks = watermarks.map(({ chainId, publicKeyHash: address, kind, level, round, digest, signature }) => {
    checkNames(chainId, address);
    if (signature !== undefined && (kind !== "block" || digest === undefined)) {
      throw new InterchangeError(`The ${kind} of ${address} has a signature; only a block with its digest keeps one.`);
    }
    return { key: { chainId, address, kind }, mark: markOf(level, round, digest, signature) };
  });
  return { marks, ...(exportedAt === undefined ? {} : { writtenAt: Date.parse(exportedAt) }) };
}

/** Checks a JSON value by a schema. @throws InterchangeError naming every mistake and its place */
export function checkForm<T>(schema: z.ZodType<T>, json: unknown): T {
  const parsed = schema.safeParse(json, { reportInput: true, error: wordIssue });
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "the file"}: ${message}`);
  throw new InterchangeError(`It is not of the form that was expected: ${mistakes.join("; ")}.`);
}

const TYPES: Readonly<Record<string, string>> = {
  array: "a list",
  int: "a whole number",
  number: "a number",
  object: "an object",
  record: "an object",
  string: "a text",
};

/** Words an issue where zod's own words are for programmers; undefined leaves them. */
function wordIssue(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code !== "invalid_type") return undefined;
  return issue.input === undefined ? "is missing" : `must be ${TYPES[issue.expected] ?? issue.expected}`;
}

/**
 * Parses JSON.
 * @throws InterchangeError for what is no JSON, and for two values of one name: JSON.parse would take the last one, not the higher
 */
export function parseJson(text: string): unknown {
  if (text.trim() === "") throw new InterchangeError("It is empty, which is no JSON.");
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new InterchangeError(`It is no JSON: ${messageOf(error)}.`, { cause: error });
  }
  // In JSON each name has a colon after it, and no other one is outside of its texts.
  const outside = text
    .replaceAll(/\\./g, "")
    .split('"')
    .filter((_, at) => at % 2 === 0);
  const written = outside.reduce((sum, part) => sum + part.split(":").length - 1, 0);
  if (written === namesIn(json)) return json;
  throw new InterchangeError("One object of it has the same name twice: which of the two counts is not known.");
}

/** Counts the names of all objects in a JSON value, however deep it is. */
function namesIn(json: unknown): number {
  const found = [json];
  let names = 0;
  for (const value of found) {
    if (typeof value !== "object" || value === null) continue;
    const values: unknown[] = Object.values(value);
    if (!Array.isArray(value)) names += values.length;
    for (const each of values) found.push(each);
  }
  return names;
}

/** Checks the names of marks: a mistyped address would be a mark that guards nothing. @throws InterchangeError */
export function checkNames(chainId: string, address: string): void {
  try {
    decode(chainId, "Net");
    decode(address, "tz1", "tz2", "tz3", "tz4");
  } catch (error) {
    throw new InterchangeError(messageOf(error), { cause: error });
  }
}

/** Takes the mark out of a row. */
export function markOf(level: number, round: number, digest: string | undefined, signature?: string | undefined): Mark {
  return {
    level,
    round,
    ...(digest === undefined ? {} : { digest }),
    ...(signature === undefined ? {} : { signature }),
  };
}
