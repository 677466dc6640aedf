import { basename } from "node:path";
import { z } from "zod";
import type { ConsensusKind } from "../../tezos/payload/payload.ts";
import { digestOf, int32, kindNamed, named } from "./foreign.ts";
import { checkForm, InterchangeError, type MarkRecord, parseJson } from "./format.ts";

const octez = z.record(
  z.string(),
  z.record(z.string(), z.looseObject({ level: int32, round: int32.optional(), hash: z.string().optional() })),
);

/**
 * Reads octez-signer's `block_high_watermarks` and its like (bin_signer/handler.ml); the file's name tells the kind. A
 * legacy mark without a round stands for every round of its level, and its signature is not taken over: it may be of a
 * form that is not ours.
 */
export function readOctez(text: string, path: string): MarkRecord {
  const kind = octezKind(path);
  if (kind === undefined) {
    throw new InterchangeError(
      "Its name must be octez-signer's own, such as block_high_watermarks: it tells the kind.",
    );
  }
  const chains = checkForm(octez, parseJson(text));
  const marks = Object.entries(chains).flatMap(([chainId, keys]) =>
    Object.entries(keys).map(([address, { level, round, hash }]) =>
      named(chainId, address, kind, { level, round, digest: digestOf(hash) }),
    ),
  );
  return { marks };
}

/** Returns the kind that the name of an octez-signer's file tells; undefined for any other name. */
export function octezKind(path: string): ConsensusKind | undefined {
  return kindNamed(/^(\w+?)_high_watermarks?$/.exec(basename(path))?.[1] ?? "");
}
