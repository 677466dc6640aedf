/**
 * The stack's configuration: a table of keys, each with its default, a correct example and the function that reads it.
 * Pure: strings in, typed settings or every mistake at once out. Pulumi.yaml repeats names, defaults and types for
 * Pulumi's own checks; test/infra/config/schema.test.ts holds the two together.
 * @module
 */

import { privateNodeName } from "../firewall.ts";
import { type Block, isDocumentation, parseBlocks } from "./addresses.ts";
import * as read from "./readers.ts";
import { signerMistakes } from "./signer-settings.ts";

interface Key<T> {
  /** What is read where the stack says nothing; absent: the key must be set. */
  readonly default?: string;
  /** A correct value: as it is typed after `pulumi config set KEY`, or JSON, which is YAML, for the stack's file. */
  readonly example: string;
  /** @throws Error whose message says what is wrong with the value */
  readonly read: (text: string, config: Readonly<Record<string, string>>) => T;
}

function key<T>(read: Key<T>["read"], example: string, fallback?: string): Key<T> {
  return { read, example, ...(fallback === undefined ? {} : { default: fallback }) };
}

function bakerIp(text: string, config: Readonly<Record<string, string>>): Block[] {
  const wide = config.allowWideBakerIp === "true";
  return parseBlocks(text, { wide, hint: "; if that is meant, set allowWideBakerIp to true" });
}

/** Every key of the stack's configuration. Pulumi.yaml describes each. */
export const KEYS = {
  location: key(read.location, "northeurope"),
  bakerIp: key(bakerIp, "203.0.113.7"),
  allowWideBakerIp: key(read.boolean, "true", "false"),
  operator: key(read.operator, '{"objectId":"11111111-2222-3333-4444-555555555555","ip":"198.51.100.4"}', "{}"),
  adminIp: key((text) => (text === "" ? [] : parseBlocks(text)), "198.51.100.4", ""),
  sshPublicKey: key(read.sshPublicKey, '"$(cat ~/.ssh/id_ed25519.pub)"'),
  vmSize: key(read.vmSize, "Standard_B2ats_v2", "Standard_B1s"),
  image: key(read.image, "Canonical:ubuntu-24_04-lts:server:latest", "Canonical:ubuntu-24_04-lts:server:latest"),
  redundancy: key((text) => read.oneOf(text, ["LRS", "ZRS"] as const), "ZRS", "LRS"),
  keys: key(read.keys, '[{"name":"baker","curve":"P-256","source":"generate"}]', "[]"),
  chains: key(read.chains, '["NetXdQprcVkpaWU"]', '["NetXdQprcVkpaWU"]'),
  initialise: key(read.initialise, '{"level":9123456,"until":"2026-11-20T16:00:00Z"}', "{}"),
  policy: key(read.policy, '{"default":{"allow":["block","preattestation","attestation"]}}', "{}"),
  confirm: key(read.names, '["transaction","reveal"]', "[]"),
  authorizedKeys: key(read.names, '["edpkuBknW28nW72KG6RoHtYW7p12T6GKc7nAbwYX5m8Wd9sDVC9yav"]', "[]"),
  head: key(read.head, '{"node":"https://rpc.tzkt.io/mainnet"}', "{}"),
  production: key(read.boolean, "true", "false"),
  monitoring: key(read.boolean, "true", "false"),
  alertEmail: key(read.email, "baker@example.org", ""),
  tags: key(read.tags, '{"owner":"baker"}', "{}"),
} satisfies Record<string, Key<unknown>>;

type Values = { readonly [K in keyof typeof KEYS]: ReturnType<(typeof KEYS)[K]["read"]> };

/** The configuration as the program uses it. */
export interface Settings extends Values {
  /** The Pulumi stack's name: it names the resource group and is put on every tag. */
  readonly stack: string;
}

/** One mistake in the configuration. */
export interface Mistake {
  readonly key: string;
  /** As typed, cut to a line; never a private key. */
  readonly value: string;
  readonly problem: string;
  /** How the key is set rightly: a command, or a line for the stack's file. */
  readonly example: string;
}

/** Thrown with all mistakes; the message lists them for the terminal. */
export class ConfigurationError extends Error {
  readonly mistakes: readonly Mistake[];
  constructor(mistakes: readonly Mistake[]) {
    const count = mistakes.length === 1 ? "a mistake" : `${mistakes.length} mistakes`;
    const lines = mistakes.map(
      ({ key, value, problem, example }) =>
        `  ${key}${value === "" ? "" : ` = ${value}`}\n    ${problem}\n    ${example}`,
    );
    super(`the stack's configuration has ${count}; nothing was changed\n${lines.join("\n")}`);
    this.mistakes = mistakes;
  }
}

/**
 * Reads a stack's configuration.
 * @param config key to text as Pulumi stores it: plain text, or JSON for lists and objects
 * @param stack name of the stack
 * @throws ConfigurationError naming every mistake
 */
export function parseSettings(config: Readonly<Record<string, string>>, stack: string): Settings {
  const mistakes: Mistake[] = [];
  const values: Record<string, unknown> = { stack };
  for (const name of Object.keys(config)) {
    if (!(name in KEYS)) mistakes.push(unknownKey(name));
  }
  for (const [name, key] of Object.entries<Key<unknown>>(KEYS)) {
    const text = config[name] ?? key.default;
    if (text === undefined) {
      mistakes.push(mistake(name, "", "is missing"));
      continue;
    }
    try {
      values[name] = key.read(text.trim(), config);
    } catch (error) {
      mistakes.push(mistake(name, text, error instanceof Error ? error.message : String(error)));
    }
  }
  if (mistakes.length === 0) mistakes.push(...contradictions(values as unknown as Settings));
  if (mistakes.length > 0) throw new ConfigurationError(mistakes);
  return values as unknown as Settings;
}

/** What is allowed and yet wants a second look: printed as warnings, never a refusal. */
export function warnings(settings: Settings): string[] {
  const found: string[] = [];
  const documentation = [...settings.bakerIp, ...settings.adminIp].filter(isDocumentation);
  if (documentation.length > 0) {
    const texts = documentation.map((block) => block.text).join(", ");
    found.push(
      `${texts} is an address from documentation: nobody comes from there. Set bakerIp to your baker's address`,
    );
  }
  if (settings.sshPublicKey === read.EXAMPLE_SSH_KEY) {
    found.push("sshPublicKey is the example: nobody holds its private half, so nobody can log in");
  }
  const node = privateNodeName(settings.head);
  if (node !== undefined) {
    found.push(
      `head.node ${node} looks like a private name, and the firewall lets a name lead to public addresses only: give the node's address`,
    );
  }
  for (const { name } of settings.keys) {
    found.push(`the key ${name} is made in the HSM and has no backup: if the vault is lost, so is the key`);
  }
  return found;
}

/** Rules between two keys; asked only once each key is right by itself. */
function contradictions(settings: Settings): Mistake[] {
  const found: Mistake[] = [];
  const refuse = (name: keyof typeof KEYS, value: string, problem: string) => found.push(mistake(name, value, problem));
  const blocks = (list: readonly Block[]) => list.map((block) => block.text).join(",");
  if (settings.production && settings.bakerIp.some(isDocumentation)) {
    refuse(
      "bakerIp",
      blocks(settings.bakerIp),
      "is an address from documentation; a production stack needs the baker's own",
    );
  }
  if (settings.production && settings.sshPublicKey === read.EXAMPLE_SSH_KEY) {
    refuse("sshPublicKey", settings.sshPublicKey, "is the example; a production stack needs a key of yours");
  }
  if (settings.alertEmail !== "" && !settings.monitoring) {
    refuse("alertEmail", settings.alertEmail, "nothing would be sent: alerts need monitoring: true as well");
  }
  if (settings.policy !== undefined && settings.confirm.length > 0) {
    refuse("confirm", JSON.stringify(settings.confirm), "policy is set, so put confirm into it, beside allow");
  }
  for (const { key, problem } of signerMistakes(settings)) found.push(mistake(key, "", problem));
  return found;
}

function mistake(name: string, value: string, problem: string): Mistake {
  const example = Object.entries<Key<unknown>>(KEYS).find(([other]) => other === name)?.[1].example;
  return { key: name, value: shown(value), problem, example: example === undefined ? "" : howToSet(name, example) };
}

/** Pulumi takes lists and objects from the stack's file, or piece by piece with --path; never as JSON on a command line. */
function howToSet(name: string, example: string): string {
  if (/^[{[]/.test(example)) return `for example, in Pulumi.STACK.yaml: tezos-signer:${name}: ${example}`;
  return `for example: pulumi config set ${name} ${example}`;
}

function unknownKey(name: string): Mistake {
  const near = Object.keys(KEYS).find((key) => key.toLowerCase() === name.toLowerCase());
  const known = near === undefined ? `the keys are ${Object.keys(KEYS).join(", ")}` : `did you mean ${near}?`;
  return { key: name, value: "", problem: `no such key; ${known}`, example: `remove it: pulumi config rm ${name}` };
}

/** Values are shown to be recognised, not copied: one line, 60 characters, and no private key. */
function shown(value: string): string {
  if (/PRIVATE KEY/.test(value)) return "(a private key, not shown)";
  const line = value.replace(/\s+/g, " ").trim();
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}
