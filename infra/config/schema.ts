/**
 * The stack's configuration: a table of keys, each with its schema and a correct example. Pulumi.yaml describes each key
 * and repeats its default; test/infra/config/schema.test.ts holds the two together.
 * @module
 */
import { z } from "zod";
import { nearest } from "../../signer/settings/nearest.ts";
import { EXAMPLE_CLIENT } from "./example-client.ts";
import { readImage, readSize, sizeMeantBy } from "./machine-image.ts";
import * as read from "./readers.ts";
import { reading } from "./reasons.ts";
import { readRegion, regionMeantBy } from "./regions.ts";
import { readSshPublicKey } from "./ssh-key.ts";

/** One key of the configuration. */
export interface Key<S extends z.ZodType = z.ZodType> {
  /** Takes the value as decoded, or undefined where it is not set. */
  readonly schema: S;
  /** A correct value: as it is typed after `pulumi config set KEY`, or JSON, which is YAML, for the stack's file. */
  readonly example: string;
  /** What Pulumi.yaml gives where the key is not set; undefined where that is a value like any other. */
  readonly unset?: "" | "{}";
  /** Finds the value that a wrong one was meant to be, where there are names for what it may be. */
  readonly meantBy?: MeantBy;
}

type MeantBy = (given: string) => string | undefined;

function key<S extends z.ZodType>(schema: S, example: string, meantBy?: MeantBy): Key<S> {
  return { schema, example, ...(meantBy === undefined ? {} : { meantBy }) };
}

/** A text that may be missing: an empty one is none. */
function text<S extends z.ZodType>(schema: S, example: string, meantBy?: MeantBy): Key<S> {
  return { ...key(schema, example, meantBy), unset: "" };
}

/** A truth value. */
function flag(unset = false): Key<z.ZodDefault<typeof read.boolean>> {
  return key(read.boolean.default(unset), String(!unset), (given) => nearest(given, read.BOOLEANS));
}

/** An object that may be missing: an empty one is none. */
function object<S extends z.ZodType>(schema: S, example: string): Key<S> {
  return { schema, example, unset: "{}" };
}

/** The image that is taken where none is named. */
const IMAGE = "Canonical:ubuntu-24_04-lts:server:latest";

/** Every key of the stack's configuration. */
export const KEYS = {
  location: text(reading(readRegion), "northeurope", regionMeantBy),
  bakerIp: text(read.bakerAddresses, "203.0.113.7"),
  allowWideBakerIp: flag(),
  keyImporter: object(
    read.keyImporter.optional(),
    '{"objectId":"11111111-2222-3333-4444-555555555555","ip":"198.51.100.4"}',
  ),
  adminIp: text(read.adminAddresses.default([]), "198.51.100.4"),
  metricsIp: text(read.adminAddresses.default([]), "198.51.100.4"),
  sshPublicKey: text(reading(readSshPublicKey), '"$(cat ~/.ssh/id_ed25519.pub)"'),
  vmSize: key(reading(readSize).prefault("Standard_B1s"), "Standard_B2ats_v2", sizeMeantBy),
  image: key(reading(readImage).prefault(IMAGE), IMAGE),
  instances: key(read.instances.prefault("1"), "2"),
  balancer: flag(),
  redundancy: key(z.enum(read.REDUNDANCIES).default("LRS"), "ZRS", (given) => nearest(given, read.REDUNDANCIES)),
  keys: key(read.generatedKeys.default([]), '[{"name":"baker","curve":"P-256","source":"generate"}]'),
  chains: key(read.chains.default(["NetXdQprcVkpaWU"]), '["NetXdQprcVkpaWU"]'),
  initialise: object(read.firstWatermarks.optional(), '{"level":9123456,"until":"2026-11-20T16:00:00Z"}'),
  policy: object(read.policy.optional(), '{"default":{"allow":["block","preattestation","attestation"]}}'),
  confirm: key(read.kindsToConfirm.default([]), '["transaction","reveal"]'),
  authorizedKeys: key(read.authorizedKeys.default([]), `["${EXAMPLE_CLIENT}"]`, read.noneMeantBy),
  head: object(read.head.optional(), '{"node":"https://rpc.tzkt.io/mainnet"}'),
  production: flag(),
  monitoring: flag(),
  alertEmail: text(read.email.default(""), "baker@example.org"),
  alertWebhook: text(read.webhook.default(""), "https://events.pagerduty.com/integration/KEY/enqueue"),
  waitForSigner: flag(true),
  tags: key(read.tags.default({}), '{"owner":"baker"}'),
} satisfies Record<string, Key>;

/** Name of a key of the configuration. */
export type KeyName = keyof typeof KEYS;

type Values = { readonly [K in KeyName]: z.output<(typeof KEYS)[K]["schema"]> };

/** The configuration as the program uses it. */
export interface StackConfig extends Values {
  /** The Pulumi stack's name: it names the resource group and is put on every tag. */
  readonly stack: string;
}

/**
 * Decodes a value as Pulumi stores it: text, or JSON for lists and objects.
 * @param unset what the key has where it is not set. For every other key an empty text is a value, and a wrong one: a
 *   variable of a script that was not set must not turn `production` off.
 * @returns undefined where nothing is set
 */
export function decode(given: string | undefined, unset: Key["unset"]): unknown {
  const trimmed = given?.trim();
  if (trimmed === undefined || trimmed === "") return unset === trimmed ? undefined : trimmed;
  if (!/^[[{]/.test(trimmed)) return trimmed;
  try {
    const value: unknown = JSON.parse(trimmed, (name, inner: unknown) => {
      // Whatever judges an object passes over this name in silence.
      if (name === "__proto__") throw new SyntaxError(name);
      return inner;
    });
    return unset === "{}" && JSON.stringify(value) === unset ? undefined : value;
  } catch {
    return trimmed; // each schema says what form it takes instead
  }
}
