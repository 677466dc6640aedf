/**
 * How a key is set rightly: the line below its mistakes. It is right beside the other values, and never what was refused.
 * Pure.
 * @module
 */
import { imageFor, sizeFor } from "./machine-image.ts";
import { KEYS, type Key, type KeyName, type StackConfig } from "./schema.ts";

const HOUR = 3_600_000;

/** The configuration as far as it is right, and what one looks at it with. */
export interface Beside {
  readonly config: Partial<StackConfig>;
  /** Whether a key has a value, right or wrong. */
  readonly isSet: (key: KeyName) => boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Returns how to set a key.
 * @param given its present value as Pulumi stores it, so that a slip is written as it was meant
 */
export function howToSet(name: KeyName, given: string | undefined, { config, isSet, now }: Beside): string {
  if (name === "confirm" && isSet("policy")) return howToRemove(name);
  const { example, meantBy, schema }: Key = KEYS[name];
  const meant = given === undefined ? undefined : (meantBy?.(given) ?? asList(given, schema));
  if (meant !== undefined) return line(name, meant);
  return (config.production ? IN_PRODUCTION[name] : undefined) ?? line(name, fitting(name, config, now) ?? example);
}

/** One value where a list of values is taken, and no other form. */
function asList(given: string, schema: Key["schema"]): string | undefined {
  if (schema.safeParse(given).success || !schema.safeParse([given]).success) return undefined;
  return JSON.stringify([given]);
}

/** What only the baker knows: nothing that can be copied is right for a stack with money behind it. */
const IN_PRODUCTION: Partial<Record<KeyName, string>> = {
  bakerIp: "for example: pulumi config set bakerIp ADDRESS, which `curl -4 https://api.ipify.org` prints on the baker",
  authorizedKeys:
    "for example, in stacks/Pulumi.STACK.yaml: tezos-signer:authorizedKeys: [KEY], which `octez-client show address NAME` prints on the baker",
};

/** Returns how to take a key out of the configuration. */
export function howToRemove(name: string): string {
  return `remove it: pulumi config rm ${name}`;
}

/** Lists and objects are shown as a line for the stack's file, where they are read more easily than on a command line. */
function line(name: KeyName, value: string): string {
  if (/^[{[]/.test(value)) return `for example, in stacks/Pulumi.STACK.yaml: tezos-signer:${name}: ${value}`;
  return `for example: pulumi config set ${name} ${value}`;
}

/** A value that depends on another one, or on the time. */
function fitting(name: KeyName, { vmSize, image }: Partial<StackConfig>, now: number): string | undefined {
  if (name === "image" && vmSize !== undefined) return imageFor(vmSize);
  if (name === "vmSize" && image !== undefined) return sizeFor(image);
  if (name !== "initialise") return undefined;
  const until = new Date(Math.ceil(now / HOUR + 12) * HOUR).toISOString().replace(".000", "");
  return JSON.stringify({ level: 9_123_456, until });
}
