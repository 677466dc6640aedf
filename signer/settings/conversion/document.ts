import { z } from "zod";
import { readYaml, unlessSecret } from "../secrets.ts";
import { type Conversion, ConversionError } from "./conversion.ts";

/**
 * Reads a file of another signer, YAML or JSON. Its values are never repeated: there are passwords among them.
 * @throws ConversionError naming every mistake and its place
 */
export function readDocument<T>(schema: z.ZodType<T>, text: string): T {
  const read = readYaml(text, { merge: true });
  if ("faults" in read) throw new ConversionError(read.faults.join("\n"));
  return readDocumentPart(schema, read.value);
}

/** Reads a part of such a file. @param place where it stands @throws ConversionError */
export function readDocumentPart<T>(schema: z.ZodType<T>, value: unknown, place = ""): T {
  const parsed = schema.safeParse(value, { error: wordIssue });
  if (parsed.success) return parsed.data;
  const at = place === "" ? [] : [place];
  throw new ConversionError(
    parsed.error.issues.map(({ path, message }) => describe([...at, ...path], message)).join("\n"),
  );
}

const TYPES: Readonly<Record<string, string>> = {
  array: "a list",
  boolean: "true or false",
  int: "a whole number",
  number: "a number",
  object: "names with values",
  record: "names with values",
  string: "a text",
};

function wordIssue(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code !== "invalid_type") return undefined;
  return issue.input === undefined ? "is missing" : `must be ${TYPES[issue.expected] ?? issue.expected}`;
}

function describe(path: readonly PropertyKey[], message: string): string {
  return `${path.map((step) => unlessSecret(String(step))).join(".") || "the file"}: ${message}`;
}

/** Notes the names that the other signer does not have: what they were meant to do is not known here. */
export function noteUnknown(
  conversion: Conversion,
  given: Readonly<Record<string, unknown>>,
  known: readonly string[],
  place: string,
): void {
  for (const name of Object.keys(given).filter((each) => !known.includes(each))) {
    conversion.note(
      "lost",
      `${place}${name}`,
      "is no setting of that signer that is known here; nothing became of it.",
    );
  }
}

/** A flag as Python's and JavaScript's programs take it. */
export const flag = z.union([z.boolean(), z.number(), z.null()], { error: "must be true or false" }).transform(Boolean);
