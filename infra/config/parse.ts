/**
 * Reads a stack's configuration: text in, a typed configuration or every mistake at once out. Pure.
 * @module
 */
import { unlessSecret } from "../../signer/settings/secrets.ts";
import { contradictions } from "./contradictions.ts";
import { didYouMean } from "./nearest.ts";
import { type Finding, judge, shown } from "./reasons.ts";
import { decode, KEYS, type Key, type KeyName, type StackConfig } from "./schema.ts";

/** One mistake in the configuration. */
export interface Mistake extends Finding {
  readonly key: string;
  /** How the key is set rightly: a command, or a line for the stack's file. */
  readonly example: string;
}

/** Thrown with all mistakes; the message lists them for the terminal. */
export class ConfigurationError extends Error {
  readonly mistakes: readonly Mistake[];
  constructor(mistakes: readonly Mistake[]) {
    const count = mistakes.length === 1 ? "a mistake" : `${mistakes.length} mistakes`;
    super([`the stack's configuration has ${count}; nothing was changed`, ...mistakes.flatMap(lines)].join("\n"));
    this.mistakes = mistakes;
  }
}

const TABLE: Readonly<Record<string, Key>> = KEYS;

/**
 * Reads a stack's configuration.
 * @param config key to text as Pulumi stores it: plain text, or JSON for lists and objects
 * @param stack name of the stack
 * @throws ConfigurationError naming every mistake
 */
export function parseConfig(config: Readonly<Record<string, string>>, stack: string): StackConfig {
  const mistakes = Object.keys(config)
    .filter((name) => !Object.hasOwn(KEYS, name))
    .map(unknownKey);
  const values: Record<string, unknown> = { stack };
  for (const [name, { schema, unset }] of Object.entries(TABLE)) {
    const result = judge(schema, decode(config[name], unset), name);
    if ("data" in result) values[name] = result.data;
    else mistakes.push(...result.findings.map((finding) => mistake(name, finding)));
  }
  const isSet = (name: KeyName) => {
    const value = decode(config[name], TABLE[name]?.unset);
    return value !== undefined && !(Array.isArray(value) && value.length === 0);
  };
  for (const { key, value, reason } of contradictions(values as Partial<StackConfig>, isSet)) {
    mistakes.push(mistake(key, { where: key, value: shown(value), reason }));
  }
  if (mistakes.length > 0) throw new ConfigurationError(inOrder(mistakes));
  return values as unknown as StackConfig;
}

/** Orders mistakes by key, so that all about one key stands together: unknown keys first, then the table's order. */
function inOrder(mistakes: readonly Mistake[]): Mistake[] {
  const names = Object.keys(KEYS);
  return mistakes.toSorted((a, b) => names.indexOf(a.key) - names.indexOf(b.key));
}

/** Says what is wrong, where, and what to write instead, in one line; the example follows the last mistake of its key. */
function lines({ key, where, value, reason, example }: Mistake, index: number, all: readonly Mistake[]): string[] {
  const given = value === "" || reason.startsWith(`${value} `) ? "" : ` = ${value}`;
  const last = all[index + 1]?.key !== key;
  return [`  ${where}${given}: ${reason}`, ...(last && example !== "" ? [`    ${example}`] : [])];
}

function mistake(key: string, finding: Finding): Mistake {
  const example = TABLE[key]?.example;
  return { key, ...finding, example: example === undefined ? "" : howToSet(key, example) };
}

/** Lists and objects are shown as a line for the stack's file, where they are read more easily than on a command line. */
function howToSet(name: string, example: string): string {
  if (/^[{[]/.test(example)) return `for example, in Pulumi.STACK.yaml: tezos-signer:${name}: ${example}`;
  return `for example: pulumi config set ${name} ${example}`;
}

function unknownKey(name: string): Mistake {
  const reason = `no such key${didYouMean(name, Object.keys(KEYS)) || "; Pulumi.yaml lists them"}`;
  return {
    key: name,
    where: unlessSecret(name),
    value: "",
    reason,
    example: `remove it: pulumi config rm ${unlessSecret(name)}`,
  };
}
