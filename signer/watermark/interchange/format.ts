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

/** @returns the file's text, rows in an order that does not change */
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

/** @throws InterchangeError naming every mistake and its place */
export function readInterchange(text: string): NamedMark[] {
  const parsed = interchangeSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    const mistakes = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "the file"}: ${message}`);
    throw new InterchangeError(mistakes.join("; "));
  }
  return parsed.data.watermarks.map(({ chainId, publicKeyHash: address, kind, level, round, digest, signature }) => {
    checkNames(chainId, address);
    if (signature !== undefined && (kind !== "block" || digest === undefined)) {
      throw new InterchangeError(`The ${kind} of ${address} has a signature; only a block with its digest keeps one.`);
    }
    return { key: { chainId, address, kind }, mark: markOf(level, round, digest, signature) };
  });
}

/** @throws InterchangeError */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InterchangeError(`It is no JSON: ${messageOf(error)}`, { cause: error });
  }
}

/** A mistyped address would be a mark that guards nothing. @throws InterchangeError */
export function checkNames(chainId: string, address: string): void {
  try {
    decode(chainId, "Net");
    decode(address, "tz1", "tz2", "tz3", "tz4");
  } catch (error) {
    throw new InterchangeError(messageOf(error), { cause: error });
  }
}

export function markOf(level: number, round: number, digest: string | undefined, signature?: string | undefined): Mark {
  return {
    level,
    round,
    ...(digest === undefined ? {} : { digest }),
    ...(signature === undefined ? {} : { signature }),
  };
}
