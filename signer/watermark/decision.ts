/**
 * Whether a position may be signed, given what is recorded for its chain, key and kind.
 * Pure: the guard asks, this answers, nothing is touched.
 * @module
 */
export interface Position {
  /** Block level, int32, never negative on chain. */
  readonly level: number;
  /** Fitness round, int32, never negative (block_header_repr.ml, not payload_round). */
  readonly round: number;
}

export interface Mark extends Position {
  /**
   * Blake2b-256 of the payload that reserved this position, hex. Absent where it is not known (a floor, or two
   * imports that disagree): then nothing at this position can be signed.
   */
  readonly digest?: string;
  /** A block's released signature, r || s, 64 bytes, hex; absent until it has been stored. */
  readonly signature?: string;
}

export type Decision =
  /** A higher position: to be reserved before anything is released. */
  | { readonly verdict: "reserve" }
  /** The same payload as the reservation's, and no signature is stored: it may be signed. The guard reserves a vote again. */
  | { readonly verdict: "resume" }
  | { readonly verdict: "return"; readonly signature: string }
  | { readonly verdict: "refuse"; readonly reason: "below" | "other-bytes" };

/**
 * Decides one request.
 * @param recorded the mark of this chain, key and kind, as last read from the store; undefined where there is none
 * @param requested position read from the payload by the strict parser
 * @param digest Blake2b-256 of the whole payload, hex
 */
export function decide(recorded: Mark | undefined, requested: Position, digest: string): Decision {
  if (recorded === undefined) return { verdict: "reserve" };
  const order = compare(requested, recorded);
  if (order > 0) return { verdict: "reserve" };
  if (order < 0) return { verdict: "refuse", reason: "below" };
  if (digest !== recorded.digest) return { verdict: "refuse", reason: "other-bytes" };
  // The block hash covers the signature: the same block with two signatures is double baking (validate.ml).
  return recorded.signature === undefined
    ? { verdict: "resume" }
    : { verdict: "return", signature: recorded.signature };
}

/** The highest round there can be: a mark that has it stands for all rounds of its level. */
export const HIGHEST_ROUND = 2 ** 31 - 1;

/** Writes a position for a person. */
export function positionInWords({ level, round }: Position): string {
  return `level ${level} ${round === HIGHEST_ROUND ? "(all rounds)" : `round ${round}`}`;
}

/** Compares positions in lexicographic order. Never a 32-bit difference: it overflows. */
export function compare(a: Position, b: Position): -1 | 0 | 1 {
  if (a.level !== b.level) return a.level < b.level ? -1 : 1;
  if (a.round !== b.round) return a.round < b.round ? -1 : 1;
  return 0;
}
