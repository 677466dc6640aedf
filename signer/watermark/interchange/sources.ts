import { octezKind, readOctez, readSignatory, readSignatoryDynamo, signatoryChain } from "./foreign.ts";
import { type MarkRecord, readInterchange } from "./format.ts";

/** A signer whose record can be read. */
export interface Source {
  /** Reads one file. @throws InterchangeError */
  read(text: string, path: string): MarkRecord;
  /** What to give, in words. */
  readonly file: string;
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
    file: "Signatory's files NetX….json, which are in its folder watermark_v2",
    isOwnName: (path: string) => signatoryChain(path) !== undefined,
  },
  "signatory-dynamodb": {
    read: readSignatoryDynamo,
    file: "a file with what `aws dynamodb scan --output json` prints",
  },
} as const satisfies Record<string, Source>;

export type SourceName = keyof typeof SOURCES;
