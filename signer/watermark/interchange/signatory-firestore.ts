import { z } from "zod";
import { digits, kindOf, refuseCut } from "./foreign.ts";
import { checkForm, InterchangeError, type MarkRecord, parseJson } from "./format.ts";
import { signatoryMark } from "./signatory-files.ts";

/** A value as Firestore's REST interface writes it (google.firestore.v1.Value); of a digest the forms that 32 bytes may have. */
const number = z.object({ integerValue: digits });
const digest = z.looseObject({
  stringValue: z.string().optional(),
  bytesValue: z.string().optional(),
  arrayValue: z.looseObject({ values: z.array(z.looseObject({ integerValue: z.string().optional() })) }).optional(),
});

const document = z.looseObject({
  name: z.string(),
  fields: z.looseObject({ lvl: number, round: number, digest: digest.optional() }),
});

/** What `documents:runQuery` answers, and what listing a collection does. */
const query = z.array(z.looseObject({ document: document.optional(), readTime: z.iso.datetime().optional() }));
const listing = z.looseObject({ documents: z.array(document).default([]) });

/**
 * Reads Signatory's documents `COLLECTION/CHAIN/KIND/ADDRESS` in Firestore (pkg/signatory/watermark/gcp.go), as its
 * REST interface writes them. A query also tells when it read them.
 */
export function readSignatoryFirestore(source: string): MarkRecord {
  const json = parseJson(source);
  if (!Array.isArray(json)) {
    const listed = checkForm(listing, json);
    refuseCut(listed, "nextPageToken");
    return { marks: listed.documents.map(markOfDocument) };
  }
  const answers = checkForm(query, json);
  const marks = answers.flatMap((answer) => (answer.document === undefined ? [] : [markOfDocument(answer.document)]));
  const times = answers.flatMap(({ readTime }) => (readTime === undefined ? [] : [Date.parse(readTime)]));
  return { marks, ...(times.length === 0 ? {} : { writtenAt: Math.min(...times) }) };
}

function markOfDocument({ name, fields: { lvl, round, digest: stored } }: z.output<typeof document>) {
  const [, chainId = "", kind = "", address = ""] = /([^/]+)\/([^/]+)\/([^/]+)$/.exec(name) ?? [];
  if (address === "") throw new InterchangeError(`The document ${name} is not named COLLECTION/CHAIN/KIND/ADDRESS.`);
  const position = { level: lvl.integerValue, round: round.integerValue, hash: hashOf(stored) };
  return signatoryMark(chainId, address, kindOf(kind), position);
}

function hashOf(stored: z.output<typeof digest> | undefined): string | undefined {
  if (stored?.stringValue !== undefined) return stored.stringValue;
  if (stored?.bytesValue !== undefined) return Buffer.from(stored.bytesValue, "base64").toString("hex");
  const bytes = stored?.arrayValue?.values.map(({ integerValue }) => Number(integerValue));
  return bytes?.every((byte) => byte >= 0 && byte < 256) ? Buffer.from(bytes).toString("hex") : undefined;
}
