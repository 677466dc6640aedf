/**
 * What a schema finds wrong with a value, in words. Pure.
 * @module
 */
import { z } from "zod";
import { didYouMean, nearest } from "../../signer/settings/nearest.ts";
import { HIDDEN, mayBeSecret, unlessSecret } from "../../signer/settings/secrets.ts";

/** What is wrong with a value or a part of it. */
export interface Finding {
  /** Key of the configuration, and the path below it: `keys[0].curve`. */
  readonly where: string;
  /** The value itself, cut to a line; empty for lists, objects and nothing. Never a secret. */
  readonly value: string;
  readonly reason: string;
}

/** What to say of a value of another type than the schema expects. */
const WRONG_TYPE: Readonly<Record<string, string>> = {
  array: "is not a list",
  object: "is not an object",
  record: "is not an object",
  string: "is not text",
  number: "is not a number",
  int: "is not a whole number",
  boolean: "is neither true nor false",
};

/** As many names of a set are listed in a message; of more, the page that has them is named. */
const FEW = 6;

/**
 * Judges a value by a schema.
 * @param where the value's key, for the findings
 * @returns what the schema makes of it, or all that is wrong with it
 */
export function judge<S extends z.ZodType>(
  schema: S,
  value: unknown,
  where: string,
): { readonly data: z.output<S> } | { readonly findings: readonly Finding[] } {
  const { data, error } = schema.safeParse(value, { reportInput: true, error: explain });
  if (error === undefined) return { data: data as z.output<S> };
  const issues = error.issues.flatMap(deepest);
  return {
    findings: issues.filter((issue) => !isMistyped(issue, issues)).flatMap((issue) => findingsOf(issue, where)),
  };
}

/** Whether a field is missing only because its name is mistyped: that is said already, and is one mistake. */
function isMistyped({ path, input }: z.core.$ZodIssue, issues: readonly z.core.$ZodIssue[]): boolean {
  if (input !== undefined) return false;
  const [object, name] = [path.slice(0, -1).join("."), String(path.at(-1))];
  return issues.some(
    (other) =>
      other.code === "unrecognized_keys" &&
      other.path.join(".") === object &&
      other.keys.some((key) => nearest(key, [name]) !== undefined),
  );
}

/** Returns a finding for each line of an issue's message. */
function findingsOf(issue: z.core.$ZodIssue, key: string): Finding[] {
  const steps = issue.path.map((step) => (typeof step === "number" ? `[${step}]` : `.${unlessSecret(String(step))}`));
  const value = issue.code === "unrecognized_keys" ? "" : shown(issue.input);
  return issue.message.split("\n").map((reason) => ({ where: `${key}${steps.join("")}`, value, reason }));
}

/**
 * Makes a schema that judges by another one and keeps what was written: it fills in no default and converts nothing.
 */
export function asWritten<S extends z.ZodType>(schema: S) {
  return z.custom<z.input<S>>().superRefine((value, context) => {
    const { error } = schema.safeParse(value, { reportInput: true, error: explain });
    for (const issue of error?.issues ?? []) context.addIssue({ ...issue } as Parameters<typeof context.addIssue>[0]);
  });
}

/** Makes a schema of a function that reads a text, and throws an error whose message says what is wrong. */
export function reading<T>(read: (text: string) => T) {
  return z.string().transform((text, context) => {
    try {
      return read(text);
    } catch (error) {
      context.addIssue({
        code: "custom",
        input: text,
        message: error instanceof Error ? error.message : String(error),
      });
      return z.NEVER;
    }
  });
}

/**
 * Returns a value as text, to compare it with names. An object has none: its fields may be named as what JavaScript
 * would ask for.
 */
export function asText(value: unknown): string {
  return typeof value === "object" ? "" : String(value);
}

/** Shortens a value to be recognised, not copied: one line, 60 characters, and no secret key. */
export function shown(value: unknown): string {
  if (value === undefined || value === null || typeof value === "object") return "";
  const line = String(value).replace(/\s+/g, " ").trim();
  if (/PRIVATE KEY/.test(line)) return "(a private key, not shown)";
  if (/\b(ed|sp|p2|ede|spe|p2e)sk|BLsk|BLesk/.test(line)) return "(a secret key, not shown)";
  if (mayBeSecret(String(value))) return HIDDEN;
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}

/** Of a choice that nothing fits, the findings of the form that was meant: the one that was right the farthest. */
function deepest(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== "invalid_union") return [issue];
  const depth = (issues: readonly z.core.$ZodIssue[]) => Math.max(...issues.map(({ path }) => path.length));
  const [best] = issue.errors.filter((issues) => issues.length > 0).sort((a, b) => depth(b) - depth(a));
  if (best === undefined || depth(best) === 0) return [issue];
  return best.map((each) => ({ ...each, path: [...issue.path, ...each.path] }));
}

/** Says in our words what zod would say in its own; undefined leaves its message. */
function explain(issue: z.core.$ZodRawIssue): string | undefined {
  const { input } = issue;
  switch (issue.code) {
    case "invalid_type":
      if (input === undefined) return "is missing";
      return `${WRONG_TYPE[issue.expected] ?? `is not ${issue.expected}`}${quotes(input, issue.expected)}`;
    case "invalid_value":
      return choice(input, (issue.values as readonly unknown[]).map(String));
    case "unrecognized_keys": {
      const known = issue.inst instanceof z.ZodObject ? Object.keys(issue.inst.shape) : [];
      const takes = known.length === 0 ? "" : `; it takes ${known.join(", ")}`;
      // A line each: as many mistakes as there are names.
      return (issue.keys as readonly string[])
        .map((key) => `${unlessSecret(key)} is unknown${didYouMean(key, known) || takes}`)
        .join("\n");
    }
    case "too_small":
      return issue.origin === "number" || issue.origin === "int" ? `must be at least ${issue.minimum}` : "is empty";
    case "too_big":
      return `must be at most ${issue.maximum}`;
    default:
      return undefined;
  }
}

/** YAML takes 9 for a number and "9" for a text: a value may look right and be of the wrong type. */
function quotes(input: unknown, expected: string): string {
  if (expected === "string" && typeof input !== "object") return "; put it into quotes";
  const scalar = /^(number|int|boolean)$/.test(expected) && /^(\d+|true|false)$/.test(asText(input));
  return scalar && typeof input === "string" ? "; write it without quotes" : "";
}

function choice(input: unknown, known: readonly string[]): string {
  if (input === undefined) return "is missing";
  if (known.length <= FEW) return `is none of ${known.join(", ")}${didYouMean(asText(input), known)}`;
  return `is not known${didYouMean(asText(input), known) || "; docs/reference/settings.md lists what is"}`;
}
