import { z } from "zod";
import { isConsensusKind } from "../tezos/payload/consensus-kind.ts";
import { didYouMean } from "./nearest.ts";
import { type Settings, settingsSchema } from "./schema.ts";
import { brief, HIDDEN, mayBeSecret, readYaml, unlessSecret } from "./secrets.ts";

/** Every mistake of a settings text, one line each. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
  readonly mistakes: readonly string[];

  constructor(source: string, mistakes: readonly string[]) {
    super(`${source} cannot be used:\n${mistakes.map((mistake) => `  ${mistake}`).join("\n")}`);
    this.mistakes = mistakes;
  }
}

/**
 * Reads settings.
 * @param text YAML 1.2, of which JSON is a part
 * @param source what to call the text in messages: a file's path, or "the VM's userData"
 * @throws SettingsError naming every mistake
 */
export function parseSettings(text: string, source: string): Settings {
  const read = readYaml(text);
  if ("faults" in read) throw new SettingsError(source, read.faults);
  const parsed = settingsSchema.safeParse(read.value ?? {}, { reportInput: true, error: wordIssue });
  if (!parsed.success) throw new SettingsError(source, parsed.error.issues.flatMap(describeIssue));
  const contradictions = [...contradict(parsed.data)];
  if (contradictions.length > 0) throw new SettingsError(source, contradictions);
  return parsed.data;
}

/** Finds the mistakes that only show between settings. */
function* contradict({ keys, policy, watermarks, authentication }: Settings): Iterable<string> {
  if (keys.kind === "pkcs11" && (keys.slot === undefined) === (keys.tokenLabel === undefined)) {
    yield "keys: name the token by tokenLabel or by slot, and by one of them only";
  }
  for (const [name, rule] of [["default", policy.default] as const, ...policy.keys]) {
    if (rule?.authentication === true && authentication === undefined) {
      yield `policy.${name}.authentication: names no client's key; give them in authentication.keys`;
    }
    for (const kind of rule?.confirm ?? []) {
      if (isConsensusKind(kind)) yield `policy.${name}.confirm: ${kind} cannot wait for a person; put it into allow`;
      else if (rule?.allow.includes(kind)) yield `policy.${name}: ${kind} is in allow and in confirm; keep one`;
    }
    // Floor rows are made at start, for each chain that is named: a row made at the first request would come too late.
    if (typeof watermarks.initialise !== "object") continue;
    if (rule?.allow.some(isConsensusKind) && rule.chains === undefined) {
      yield `policy.${name}.chains: must name the chains, since watermarks.initialise makes their first rows`;
    }
  }
}

/** Words one of zod's issues where zod's own words would not help; undefined leaves its message. */
export function wordIssue(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === "invalid_type" && issue.input === undefined) return "is missing";
  if (issue.code === "too_small" && issue.origin === "string") return "must not be empty";
  if (issue.code === "invalid_union" && "options" in issue && Array.isArray(issue.options)) {
    return choice(Object(issue.input)[String(issue.discriminator)], issue.options);
  }
  if (issue.code === "invalid_value") return choice(issue.input, issue.values);
  if (issue.code === "unrecognized_keys") {
    const known = issue.inst instanceof z.ZodObject ? Object.keys(issue.inst.shape) : [];
    // A line for each name, in their order.
    return issue.keys.map((key) => `there is no such setting${didYouMean(key, known)}`).join("\n");
  }
  return undefined;
}

/** As many values are listed in a message; of more, the page that has them is named. */
const FEW = 6;

function choice(input: unknown, values: readonly unknown[]): string {
  const known = values.map(String);
  const meant = typeof input === "string" ? didYouMean(input, known) : "";
  if (known.length <= FEW) return `must be one of ${known.join(", ")}${meant}`;
  return `is not known${meant || "; docs/reference/settings.md lists what is"}`;
}

/** Describes an issue in lines of the form `path: what is wrong (is VALUE)`, without secrets; one of unknown names has a line for each. */
export function describeIssue(issue: z.core.$ZodIssue): string[] {
  const path = issue.path.map((step) => unlessSecret(String(step))).join(".");
  if (issue.code === "unrecognized_keys") {
    const reasons = issue.message.split("\n");
    const wordName = (key: string) => (isOfPin([...issue.path, key]) ? HIDDEN : unlessSecret(key));
    return issue.keys.map((key, at) => `${[path, wordName(key)].filter(Boolean).join(".")}: ${reasons[at]}`);
  }
  const given = isOfPin([...issue.path, ""]) ? "" : wordGiven(issue.input);
  return [`${path || "the settings"}: ${issue.message}${given}`];
}

/** A PIN is short, and is put in place of its file by mistake: below `pin`, or beside it, as YAML reads {pin:1234}. */
function isOfPin(path: readonly PropertyKey[]): boolean {
  return path.slice(0, -1).includes("pin") || /^pin./.test(String(path.at(-1)));
}

function wordGiven(input: unknown): string {
  if (input === undefined || typeof input === "object") return "";
  if (mayBeSecret(String(input))) return ` ${HIDDEN}`;
  return ` (is ${JSON.stringify(typeof input === "string" ? brief(input) : input)})`;
}
