import { z } from "zod";
import { digits, kindOf, refuseCut } from "./foreign.ts";
import { checkForm, InterchangeError, type MarkRecord, parseJson } from "./format.ts";
import { signatoryMark } from "./signatory-files.ts";

/** Values as Firestore's REST interface writes them (google.firestore.v1.Value). */
const number = z.object({ integerValue: digits });
/** 32 bytes of Go, which its Firestore package writes as a list of numbers (cloud.google.com/go/firestore to_value.go). */
const digest = z.looseObject({ arrayValue: z.looseObject({ values: z.array(number) }).optional() });

const document = z.looseObject({
  name: z.string(),
  fields: z.looseObject({ lvl: number, round: number, digest: digest.optional() }),
});

/** In place of an answer, or of what is missing of it, with a message for people. */
const error = z.undefined({ error: "says that Firestore failed, so marks may be missing: ask it again" }).optional();
/** What `documents:runQuery` answers, and what listing a collection does. */
const query = z.array(z.looseObject({ error, document: document.optional(), readTime: z.iso.datetime().optional() }));
const listing = z.looseObject({ error, documents: z.array(document).default([]) });

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

/** The digest in hex; undefined where it is of another form, and then not known. */
function hashOf(stored: z.output<typeof digest> | undefined): string | undefined {
  const bytes = stored?.arrayValue?.values.map(({ integerValue }) => integerValue);
  return bytes?.every((byte) => byte < 256) ? Buffer.from(bytes).toString("hex") : undefined;
}
