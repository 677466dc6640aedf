import { z } from "zod";
import { MAINTENANCE } from "../contract.ts";
import { readYaml } from "../settings/secrets.ts";

/**
 * What the stack writes into the machine's userData: which release to run, how the machine is kept, and the signer's
 * settings. Every release must be able to read what another one's stack wrote, so this envelope never changes: names of it
 * that are not known are left alone. Only the settings are strict (settings.ts).
 * @module
 */

const release = z.looseObject({
  version: z.string().min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, { error: "must be a SHA-256, 64 hex digits in lower case" }),
  url: z.string().min(1),
  clientId: z.string().min(1),
});

const machine = z.looseObject({
  ssh: z.boolean().default(false),
  maintenance: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: "must be a time of day in UTC, such as 04:30" })
    .default(MAINTENANCE),
  // They come to stand in a rule of the machine's firewall.
  metrics: z
    .array(z.string().regex(/^\d{1,3}(\.\d{1,3}){3}(\/\d{1,2})?$/, { error: "must be an IPv4 address or block" }))
    .default([]),
});

const envelope = z.looseObject({
  release: release.optional(),
  machine: machine.prefault({}),
  settings: z.record(z.string(), z.unknown()),
});

export interface UserDataDocument {
  /** Absent on a machine of one's own. */
  readonly release:
    | { readonly version: string; readonly sha256: string; readonly url: string; readonly clientId: string }
    | undefined;
  readonly machine: {
    readonly ssh: boolean;
    readonly maintenance: string;
    /** IPv4 addresses and blocks that may read the metrics port. */
    readonly metrics: readonly string[];
  };
  /** JSON text of the settings, for parseSettings. */
  readonly settings: string;
}

/**
 * Reads userData's text.
 * @param text JSON or YAML
 * @throws Error saying what is wrong and where; it quotes no secret
 */
export function readUserDataDocument(text: string): UserDataDocument {
  const read = readYaml(text);
  if ("faults" in read) throw unusable(read.faults[0] ?? "it is no YAML");
  const { value } = read;
  if (isBareSettings(value)) {
    throw unusable(
      "it has the form of release 0.1.0, settings alone; put them under `settings`, as `npm run up` of this release does",
    );
  }
  const parsed = envelope.safeParse(value, { error: missing });
  if (!parsed.success) {
    const mistakes = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "it"}: ${message}`);
    throw unusable(mistakes.join("; "));
  }
  const { release, machine, settings } = parsed.data;
  return { release, machine, settings: JSON.stringify(settings) };
}

/** Both settings that have no default stand at the top. */
function isBareSettings(value: unknown): boolean {
  return typeof value === "object" && value !== null && !("settings" in value) && "keys" in value;
}

function missing(issue: z.core.$ZodRawIssue): string | undefined {
  return issue.code === "invalid_type" && issue.input === undefined ? "is missing" : undefined;
}

function unusable(what: string): Error {
  return new Error(`The machine's userData cannot be used: ${what}.`);
}
