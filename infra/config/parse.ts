/**
 * Reads a stack's configuration: text in, a typed configuration or every mistake at once out. Pure.
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import { nearest, question } from "../../signer/settings/nearest.ts";
import { unlessSecret } from "../../signer/settings/secrets.ts";
import { contradictions } from "./contradictions.ts";
import { type Beside, howToRemove, howToSet } from "./examples.ts";
import { type Finding, judge, shown } from "./reasons.ts";
import { decode, KEYS, type Key, type KeyName, type StackConfig } from "./schema.ts";
import { groupMistake } from "./stack-name.ts";
import { warnings } from "./warnings.ts";

/** One mistake in the configuration. */
export interface Mistake extends Finding {
  readonly key: string;
  /** How the key is set rightly: a command, or a line for the stack's file. */
  readonly example: string;
}

/** Thrown with all mistakes; the message lists them for the terminal, and what wants a second look besides. */
export class ConfigurationError extends Error {
  readonly mistakes: readonly Mistake[];

  constructor(mistakes: readonly Mistake[], warnings: readonly string[] = []) {
    const lines = [
      `the stack's configuration has ${count(mistakes, "mistake")}; nothing was changed`,
      ...mistakes.flatMap(linesOf),
      ...(warnings.length === 0 ? [] : [`and ${count(warnings, "warning")}`]),
      ...warnings.map((warning) => `  ${warning}`),
    ];
    super(lines.join("\n"));
    this.mistakes = mistakes;
  }
}

const TABLE: Readonly<Record<string, Key>> = KEYS;
const NAMES = Object.keys(KEYS) as readonly KeyName[];

/** A mistake of the name, and no key's. */
const STACK_NAME = "the stack's name";

/**
 * Reads a stack's configuration.
 * @param config key to text as Pulumi stores it: plain text, or JSON for lists and objects
 * @param stack name of the stack
 * @param now milliseconds since 1970
 * @throws ConfigurationError naming every mistake
 */
export function parseConfig(
  config: Readonly<Record<string, string>>,
  stack: string,
  now: number = Date.now(),
): StackConfig {
  const unknown = Object.keys(config).filter((name) => !Object.hasOwn(KEYS, name));
  const given = asMeant(config, unknown);
  const values: Record<string, unknown> = { stack };
  const findings: (readonly [KeyName, Finding])[] = [];
  for (const name of NAMES) {
    const { schema, unset } = TABLE[name] as Key;
    const result = judge(schema, decode(given[name], unset), name);
    if ("data" in result) values[name] = result.data;
    else findings.push(...result.findings.map((finding) => [name, finding] as const));
  }
  const isSet = (name: KeyName) => {
    const value = decode(given[name], TABLE[name]?.unset);
    return value !== undefined && !(Array.isArray(value) && value.length === 0);
  };
  const right = values as Partial<StackConfig>;
  const beside: Beside = { config: right, isSet, now };
  const mistakes: Mistake[] = [
    ...stackName(stack),
    ...unknown.map(unknownKey),
    ...findings.map(([key, finding]) => ({ key, ...finding, example: howToSet(key, given[key], beside) })),
    ...contradictions(beside).map(({ key, value, reason, example = "" }) => ({
      key,
      where: key,
      value: shown(value),
      reason,
      example: example === "" && key in KEYS ? howToSet(key as KeyName, given[key], beside) : example,
    })),
  ];
  if (mistakes.length > 0) throw new ConfigurationError(inOrder(mistakes), warnings(right, now));
  return values as unknown as StackConfig;
}

/**
 * Puts the value of each unknown key under the key that it was meant for, unless that has one: its own mistakes are told in
 * the same round, and no other key is said to be missing.
 */
function asMeant(
  config: Readonly<Record<string, string>>,
  unknown: readonly string[],
): Readonly<Record<string, string>> {
  const given = { ...config };
  for (const name of unknown) {
    const key = keyMeantBy(name);
    if (key !== undefined && isFree(key, given[key])) given[key] = config[name] ?? "";
  }
  return given;
}

/** Whether a key has what it has where it is not set: Pulumi hands over the defaults of Pulumi.yaml as if they were. */
function isFree(name: string, text: string | undefined): boolean {
  const { schema, unset } = TABLE[name] as Key;
  const found = schema.safeParse(decode(text, unset));
  return isDeepStrictEqual(found.data, schema.safeParse(undefined).data) && (found.success || !text?.trim());
}

/** Finds the key that an unknown one was meant for; behind a mistyped project, the key's own name. */
function keyMeantBy(name: string): string | undefined {
  return nearest(name.slice(name.indexOf(":") + 1), NAMES);
}

/** Orders mistakes by key, so that all about one key stands together: unknown keys first, then the table's order. */
function inOrder(mistakes: readonly Mistake[]): Mistake[] {
  const names: readonly string[] = NAMES;
  return mistakes.toSorted((a, b) => names.indexOf(a.key) - names.indexOf(b.key));
}

/** Says what is wrong, where, and what to write instead, in one line; an example follows the last mistake that it mends. */
function linesOf({ key, where, value, reason, example }: Mistake, index: number, all: readonly Mistake[]): string[] {
  const given = value === "" || reason.startsWith(`${value} `) ? "" : ` = ${value}`;
  const next = all[index + 1];
  const last = next?.key !== key || next.example !== example;
  return [`  ${where}${given}: ${reason}`, ...(last && example !== "" ? [`    ${example}`] : [])];
}

function count(things: readonly unknown[], word: string): string {
  return things.length === 1 ? `a ${word}` : `${things.length} ${word}s`;
}

function unknownKey(name: string): Mistake {
  const key = keyMeantBy(name);
  const project = name.includes(":") ? "tezos-signer:" : "";
  const reason = `no such key${question(key && project + key) || "; Pulumi.yaml lists them"}`;
  return { key: name, where: unlessSecret(name), value: "", reason, example: howToRemove(unlessSecret(name)) };
}

function stackName(stack: string): Mistake[] {
  const reason = groupMistake(stack);
  if (reason === undefined) return [];
  const example = "for example: pulumi stack rename mainnet";
  return [{ key: STACK_NAME, where: STACK_NAME, value: shown(stack), reason, example }];
}
