import { basename } from "node:path";
import { z } from "zod";
import { decode } from "../../tezos/crypto/base58.ts";
import type { ConsensusKind } from "../../tezos/payload/payload.ts";
import { HIGHEST_ROUND } from "../decision.ts";
import {
  checkForm,
  checkNames,
  InterchangeError,
  type MarkRecord,
  markOf,
  type NamedMark,
  parseJson,
} from "./format.ts";

/**
 * The records of other signers, read as ours: octez-signer's high-watermark files (bin_signer/handler.ml), Signatory's
 * watermark files and its DynamoDB table (pkg/signatory/watermark). Their digests are Blake2b-256 of the whole payload as
 * ours are; where one is missing it stays unknown, so nothing at that position is signed again.
 * @module
 */

/** Names that other signers have, or had, for our three kinds. */
const KINDS: Readonly<Record<string, ConsensusKind>> = {
  block: "block",
  preattestation: "preattestation",
  preendorsement: "preattestation",
  attestation: "attestation",
  attestation_with_dal: "attestation",
  endorsement: "attestation",
};

const int32 = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);

const octez = z.record(
  z.string(),
  z.record(z.string(), z.looseObject({ level: int32, round: int32.optional(), hash: z.string().optional() })),
);

/**
 * octez-signer's `block_high_watermarks` and its like; the file's name tells the kind. A legacy mark without a round stands
 * for every round of its level, and its signature is not taken over: it may be of a form that is not ours.
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
      named(chainId, address, kind, level, round ?? HIGHEST_ROUND, round === undefined ? undefined : digestOf(hash)),
    ),
  );
  return { marks };
}

/** The kind that the name of an octez-signer's file tells; undefined for any other name. */
export function octezKind(path: string): ConsensusKind | undefined {
  return KINDS[/^(\w+?)_high_watermarks?$/.exec(basename(path))?.[1] ?? ""];
}

const signatory = z.record(
  z.string(),
  z.record(z.string(), z.looseObject({ level: int32, round: int32.default(0), hash: z.string().optional() })),
);

/** Signatory's `watermark_v2/NetX….json`; the file's name tells the chain. */
export function readSignatory(text: string, path: string): MarkRecord {
  const chainId = signatoryChain(path);
  if (chainId === undefined) {
    throw new InterchangeError("Its name must be the one that Signatory gave it, NetX….json: it tells the chain.");
  }
  const keys = checkForm(signatory, parseJson(text));
  const marks = Object.entries(keys).flatMap(([address, kinds]) =>
    Object.entries(kinds).map(([name, { level, round, hash }]) =>
      named(chainId, address, kindOf(name), level, signatoryRound(kindOf(name), round), digestOf(hash)),
    ),
  );
  return { marks };
}

/**
 * The round up to which a mark of Signatory counts. It keeps a block's payload_round (its request's GetRound), which lies
 * below the fitness round where a proposal was made again, so its block marks stand for their whole level.
 */
function signatoryRound(kind: ConsensusKind, round: number): number {
  return kind === "block" ? HIGHEST_ROUND : round;
}

/** The chain that the name of a Signatory's file tells; undefined for any other name. */
export function signatoryChain(path: string): string | undefined {
  return /^(Net[1-9A-HJ-NP-Za-km-z]{12})\.json$/.exec(basename(path))?.[1];
}

const text = z.object({ S: z.string() });
const number = z.object({ N: z.string().regex(/^\d+$/).transform(Number).pipe(int32) });
const dynamo = z.looseObject({
  Items: z.array(
    z.looseObject({
      idx: text,
      request: text,
      lvl: number,
      round: number,
      digest: z.looseObject({ S: z.string().optional(), B: z.string().optional() }).optional(),
    }),
  ),
});

/** Signatory's DynamoDB table as `aws dynamodb scan --table-name watermark` prints it. */
export function readSignatoryDynamo(source: string): MarkRecord {
  const { Items } = checkForm(dynamo, parseJson(source));
  const marks = Items.map(({ idx, request, lvl, round, digest }) => {
    const [chainId = "", address = ""] = idx.S.split("/");
    const hash = digest?.B === undefined ? digest?.S : Buffer.from(digest.B, "base64").toString("hex");
    return named(
      chainId,
      address,
      kindOf(request.S),
      lvl.N,
      signatoryRound(kindOf(request.S), round.N),
      digestOf(hash),
    );
  });
  return { marks };
}

function kindOf(name: string): ConsensusKind {
  const kind = KINDS[name];
  if (kind === undefined) throw new InterchangeError(`There is no kind of request named ${name}.`);
  return kind;
}

/** Hex, or base58 with the prefix of a payload hash; undefined for any other form, which is then not known. */
function digestOf(hash: string | undefined): string | undefined {
  if (hash === undefined) return undefined;
  if (/^[0-9a-f]{64}$/.test(hash)) return hash;
  try {
    return Buffer.from(decode(hash, "vh").bytes).toString("hex");
  } catch {
    return undefined;
  }
}

function named(
  chainId: string,
  address: string,
  kind: ConsensusKind,
  level: number,
  round: number,
  digest: string | undefined,
): NamedMark {
  checkNames(chainId, address);
  return { key: { chainId, address, kind }, mark: markOf(level, round, digest) };
}
