import { isIP } from "node:net";
import { parseDocument } from "yaml";
import { z } from "zod";
import type { Policy } from "../policy/policy.ts";
import { decode } from "../tezos/crypto/base58.ts";
import { OPERATION_KINDS } from "../tezos/payload/operation.ts";

/**
 * Everything that can be set, in one schema; docs/reference/settings.md lists exactly these (test/signer/settings/schema.test.ts).
 * Unknown names are refused, and every mistake is reported at once with its path.
 * @module
 */

const port = z.int().min(0).max(65_535);
const host = z
  .string()
  .refine((text) => isIP(text) !== 0, { error: "must be an IP address to listen on, such as 0.0.0.0" });
const file = z.string().min(1);

/** A text in base58check with one of these prefixes. */
function base58(...prefixes: Parameters<typeof decode>[1][]) {
  return z.string().superRefine((text, context) => {
    try {
      decode(text, ...prefixes);
    } catch (error) {
      context.addIssue({ code: "custom", message: error instanceof Error ? error.message : String(error) });
    }
  });
}

/** Azure speaks TLS; plain HTTP is for an emulator on this computer. */
const vault = z.string().superRefine((text, context) => {
  const url = URL.parse(text);
  const loopback = url !== null && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url?.protocol === "https:" || (url?.protocol === "http:" && loopback)) return;
  context.addIssue({ code: "custom", message: "must be the vault's address, such as https://NAME.vault.azure.net" });
});

/** A secondary endpoint lags behind the primary: a watermark read there would be an old one. */
const tableEndpoint = z.string().superRefine((text, context) => {
  const url = URL.parse(text);
  if (url?.protocol === "https:" && !/-secondary\./.test(url.hostname)) return;
  const message = "must be the account's primary endpoint, such as https://ACCOUNT.table.core.windows.net";
  context.addIssue({ code: "custom", message });
});

const addressRange = z.string().superRefine((text, context) => {
  const [address = "", bits, more] = text.split("/");
  const family = isIP(address);
  const fine = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
  if (family !== 0 && more === undefined && fine) return;
  context.addIssue({
    code: "custom",
    message: "must be an IP address or range, such as 203.0.113.7 or 203.0.113.0/28",
  });
});

const keyName = z
  .string()
  .regex(/^[0-9A-Za-z-]{1,127}(\/[0-9a-f]{32})?$/, { error: "must be a key's name, or its name/version" });

const keys = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("local"), path: file }),
  z.strictObject({
    kind: z.literal("azure-key-vault"),
    vault,
    include: z.union([z.literal("all"), z.array(keyName).min(1)]).default("all"),
    credential: z.enum(["managed-identity", "default"]).default("managed-identity"),
    clientId: z.guid().optional(),
  }),
]);

const time = z.iso.datetime({ offset: true, error: "must be a time such as 2026-11-20T16:00:00Z" });
const level = z
  .int()
  .min(1)
  .max(2 ** 31 - 1);

/** Where missing watermarks may be created: anywhere and at any time, or below no level that was ever signed. */
export const initialise = z.union([z.literal("always"), z.strictObject({ level, until: time.transform(Date.parse) })], {
  error: "must be `always` (throw-away networks only) or { level: 9123456, until: 2026-11-20T16:00:00Z }",
});

const guard = {
  storeId: z.string().min(1).optional(),
  initialise: initialise.optional(),
  maxStep: z.union([z.int().min(1).max(1_000_000), z.literal("off")]).default(100),
};

const watermarks = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("sqlite"), path: file, ...guard }),
  z.strictObject({
    kind: z.literal("azure-table"),
    endpoint: tableEndpoint,
    table: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9]{2,62}$/, { error: "must be a table's name: 3 to 63 letters and digits" }),
    ...guard,
  }),
]);

const CONSENSUS_KINDS = ["block", "preattestation", "attestation"] as const;
const permission = z.enum([...CONSENSUS_KINDS, ...OPERATION_KINDS, "pack"]);
/** A chain's id. */
export const chain = base58("Net");
/** A public key of a client that may ask. */
export const authorizedKey = base58("edpk", "sppk", "p2pk");
/** What one key may sign. */
export const keyPolicy = z.strictObject({
  allow: z.array(permission),
  confirm: z.array(permission).optional(),
  authentication: z.boolean().optional(),
  chains: z.array(chain).min(1).optional(),
});

/** Addresses of RFC 1918 and of this computer. */
const PRIVATE = /^(127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/;

/** A node elsewhere speaks TLS: its answers decide whether blocks are signed. */
const node = z.string().superRefine((text, context) => {
  const url = URL.parse(text);
  const near =
    url !== null && (url.hostname === "localhost" || (isIP(url.hostname) === 4 && PRIVATE.test(url.hostname)));
  if (url?.protocol === "https:" || (url?.protocol === "http:" && near)) return;
  const message = "must be a node's address, such as https://NODE.example.org; http: for a private address only";
  context.addIssue({ code: "custom", message });
});

const levels = z.int().min(0).max(10_000);

/** The node whose head bounds what is signed. */
export const headSchema = z.strictObject({
  node,
  maxBehind: levels.default(5),
  maxAhead: levels.default(5),
  maxAge: z.int().min(10).max(86_400).default(60),
  whenUnknown: z.enum(["sign", "refuse"]).default("sign"),
});

export const settingsSchema = z.strictObject({
  listen: z
    .strictObject({
      host: host.default("127.0.0.1"),
      port: port.default(6732),
      tls: z.strictObject({ cert: file, key: file }).optional(),
    })
    .prefault({}),
  admin: z.strictObject({ host: host.default("127.0.0.1"), port: port.default(9583) }).prefault({}),
  keys,
  watermarks,
  policy: z
    .record(z.union([z.literal("default"), base58("tz2", "tz3")]), keyPolicy)
    .default({})
    .transform(({ default: fallback, ...own }): Policy => ({ default: fallback, keys: new Map(Object.entries(own)) })),
  confirmation: z.strictObject({ socket: file }).optional(),
  authentication: z.strictObject({ keys: z.array(authorizedKey).min(1) }).optional(),
  allowedAddresses: z.array(addressRange).min(1).optional(),
  listKnownKeys: z.boolean().default(false),
  head: headSchema.optional(),
});

/** Settings as the program uses them: checked, with defaults filled in. */
export type Settings = z.output<typeof settingsSchema>;

/** All that is wrong with a settings text, one line each. */
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
  const document = parseDocument(text, { prettyErrors: true });
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0)
    throw new SettingsError(
      source,
      faults.map(({ message }) => message.split("\n")[0] ?? message),
    );
  const parsed = settingsSchema.safeParse(document.toJS() ?? {}, { reportInput: true, error: explain });
  if (!parsed.success) throw new SettingsError(source, parsed.error.issues.flatMap(describe));
  const contradictions = [...contradict(parsed.data)];
  if (contradictions.length > 0) throw new SettingsError(source, contradictions);
  return parsed.data;
}

/** Mistakes that only show between settings. */
function* contradict({ policy, watermarks, authentication }: Settings): Iterable<string> {
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

function isConsensusKind(kind: string): boolean {
  return CONSENSUS_KINDS.some((each) => each === kind);
}

type Issue = z.core.$ZodIssue;

/** Words for what zod would say in its own; undefined leaves its message. */
function explain(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === "invalid_type" && issue.input === undefined) return "is missing";
  if (issue.code === "too_small" && issue.origin === "string") return "must not be empty";
  if (issue.code === "invalid_union" && "options" in issue && Array.isArray(issue.options)) {
    return `must be one of ${issue.options.join(", ")}`;
  }
  return undefined;
}

function describe(issue: Issue): string[] {
  const path = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => `${[path, key].filter(Boolean).join(".")}: there is no such setting`);
  }
  const messages = issue.code === "invalid_key" ? issue.issues.map(({ message }) => message) : [issue.message];
  const given =
    issue.input !== undefined && typeof issue.input !== "object" ? ` (is ${JSON.stringify(issue.input)})` : "";
  return [`${path || "the settings"}: ${messages.join("; ")}${given}`];
}
