import type { MarkRecord } from "./format.ts";
import { readInterchange } from "./format.ts";
import { readLattejed } from "./lattejed.ts";
import { octezKind, readOctez } from "./octez.ts";
import { readSignatoryDynamo } from "./signatory-dynamodb.ts";
import { readSignatory, signatoryChain } from "./signatory-files.ts";
import { readSignatoryFirestore } from "./signatory-firestore.ts";
import { readTacoinfra } from "./tacoinfra.ts";
import { readTezio } from "./tezio.ts";
import { readTezzigator } from "./tezzigator.ts";

/** What a record may leave open, and its user tells. */
export interface Place {
  readonly chain: string;
  readonly keys: readonly string[];
}

/** A signer whose record can be read. */
export interface Source {
  /** Reads one file. @param place what `asks` names is told in it @throws InterchangeError */
  read(text: string, path: string, place: Place): MarkRecord;
  /** What to give, in words. */
  readonly file: string;
  /** What its files leave open; absent where they tell all. */
  readonly asks?: readonly (keyof Place)[];
  /** Says whether a file's name is this signer's own; absent where a name tells nothing. */
  isOwnName?(path: string): boolean;
}

/** By the name that a user gives them. */
export const SOURCES = {
  "tezos-signer": { read: readInterchange, file: "the file that `watermarks export` wrote" },
  octez: {
    read: readOctez,
    file: "octez-signer's block_high_watermarks, preattestation_high_watermarks and attestation_high_watermarks",
    isOwnName: (path: string) => octezKind(path) !== undefined,
  },
  signatory: {
    read: readSignatory,
    file: "Signatory's files NetX….json, which are in its folder watermark_v2 (watermark_v1, watermark)",
    isOwnName: (path: string) => signatoryChain(path) !== undefined,
  },
  "signatory-dynamodb": {
    read: readSignatoryDynamo,
    file: "a file with what `aws dynamodb scan --output json` prints",
  },
  "signatory-firestore": {
    read: readSignatoryFirestore,
    file: "a file with the answer of Firestore's documents:runQuery, or of a list of documents",
  },
  lattejed: {
    read: readLattejed,
    file: "the guide's signer's file ~/.tezos-azure-hsm-signer/watermarks.json",
  },
  tacoinfra: {
    read: readTacoinfra,
    file: "a file with what `aws dynamodb scan --output json` prints of its ddb_table",
  },
  tezzigator: {
    read: readTezzigator,
    file: "a file with the items of its Cosmos DB collection, as JSON",
    asks: ["chain", "keys"],
  },
  tezio: { read: readTezio, file: "its config.yaml", asks: ["chain"] },
} as const satisfies Record<string, Source>;

export type SourceName = keyof typeof SOURCES;
