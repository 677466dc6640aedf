/**
 * Schemas of single configuration values. What the signer is told as it stands is judged by the signer's own schemas.
 * @module
 */
import { z } from "zod";
import { CONSENSUS_KINDS } from "../../signer/contract.ts";
import { isLoopback, readServiceUrl } from "../../signer/network/url.ts";
import { didYouMean, nearest } from "../../signer/settings/nearest.ts";
import {
  authorizedKeySchema,
  chainSchema,
  headSchema,
  initialiseSchema,
  keyPolicySchema,
  permissionSchema,
  rulesSchema,
} from "../../signer/settings/schema.ts";
import { type Block, parseBlocks } from "./addresses.ts";
import { asText, asWritten, shown } from "./reasons.ts";

/** The person who imports keys, for the time of it. */
export type KeyImporter = z.output<typeof keyImporter>;

/** A key pair that the stack has the vault's HSM make. P-256 gives a tz3 address, P-256K (secp256k1) a tz2. */
export type GeneratedKey = z.output<typeof generatedKeys>[number];

/** How Pulumi writes a truth value. */
export const BOOLEANS = ["true", "false"] as const;

/** How many copies the table has, and where: Azure's names without their `Standard_`. */
export const REDUNDANCIES = ["LRS", "ZRS"] as const;

/** Chains that have a name: mainnet and Shadownet. */
const CHAINS = ["NetXdQprcVkpaWU", "NetXsqzbfFenSTS"];

const DAY = 24 * 3600 * 1000;

/** Azure's limit is 50; three tags are the stack's own. */
const MAX_TAGS = 47;
const OWN_TAGS = ["project", "stack", "production"];

/** One of a few names. @param mistake what is said of any other text, before what may have been meant */
function oneOf<const Name extends string>(names: readonly Name[], mistake: string) {
  return z.enum(names, {
    error: ({ input }) => (input === undefined ? "is missing" : `${mistake}${didYouMean(asText(input), names)}`),
  });
}

/** A truth value as Pulumi hands it over: text. */
export const boolean = oneOf(BOOLEANS, "is neither true nor false").transform((text) => text === "true");

/** How many machines share the signer's work. */
export const instances = oneOf(["1", "2"], "is neither 1 nor 2").transform(Number);

/** An e-mail address. */
export const email = z.string().regex(/^[^@\s]+@[^@\s]+\.[^@\s]+$/, { error: "is not an e-mail address" });

/** Services that take no alert in Azure's form, though they have webhooks: nobody would be told. */
const OF_ANOTHER_FORM = /(^|\.)(hooks\.slack\.com|api\.telegram\.org|discord\.com|discordapp\.com)$/;

/** Where alerts are posted. Whoever has the address can post there too, so no message repeats it. */
export const webhook = z.string().superRefine((text, context) => {
  const refuse = (message: string) => context.addIssue({ code: "custom", input: "", message });
  const url = readServiceUrl(text, { plainHttp: "never", path: "taken", query: "taken" });
  if (!(url instanceof URL)) {
    refuse(`is no address that begins with https://; ${url.fault}`);
  } else if (!url.hostname.includes(".")) {
    refuse("is no address that begins with https:// and a host's whole name");
  } else if (OF_ANOTHER_FORM.test(url.hostname)) {
    refuse(
      `is at ${url.hostname}, which does not take alerts in Azure's form: docs/operate.md says what stands between`,
    );
  }
});

/** A list of IPv4 addresses and blocks, as text with commas or as a list. How wide a block may be is a rule of its own. */
export const bakerAddresses = addresses({ wide: true, needed: true });

/** A list of IPv4 addresses and blocks up to /24. */
export const adminAddresses = addresses({ wide: false, needed: false });

function addresses({ wide, needed }: { readonly wide: boolean; readonly needed: boolean }) {
  return z
    .union([z.string(), z.array(z.string())], {
      error: ({ input }) => (input === undefined ? "is missing" : "is neither text nor a list of texts"),
    })
    .transform((value, context): Block[] => {
      const entries = (typeof value === "string" ? value.split(",") : value).map((entry) => entry.trim());
      const { blocks, mistakes } = parseBlocks(entries, { wide });
      if (needed && entries.length === 0) mistakes.push("is empty: the signer would be open to nobody");
      for (const message of mistakes) context.addIssue({ code: "custom", input: value, message });
      return blocks;
    });
}

/** Who imports keys: one person, from one address. */
export const keyImporter = z.strictObject({
  objectId: z
    .string({
      error: ({ input }) => (input === undefined ? "is missing: the person's id in Microsoft Entra" : undefined),
    })
    .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, {
      error: "is not a GUID; `az ad signed-in-user show --query id -o tsv` prints yours",
    })
    .transform((id) => id.toLowerCase()),
  ip: z
    .string({
      error: ({ input }) =>
        input === undefined ? "is missing: the address that the key importer works from" : undefined,
    })
    .transform((text, context) => {
      const { blocks, mistakes } = parseBlocks(text.split(","), { wide: false });
      const [block] = blocks;
      if (block?.prefix === 32 && blocks.length === 1 && mistakes.length === 0) return block.text;
      const message = mistakes[0] ?? "is one address, not a block or list";
      context.addIssue({ code: "custom", input: text, message });
      return z.NEVER;
    }),
});

/** Key names have 1-127 letters, digits and hyphens, and no two differ in their case alone (Key Vault object identifiers). */
export const generatedKeys = z
  .array(
    z.strictObject({
      name: z.string().regex(/^[0-9a-zA-Z-]{1,127}$/, { error: "is not 1-127 letters, digits and hyphens" }),
      curve: oneOf(["P-256", "P-256K"], "is neither P-256 (tz3) nor P-256K (tz2)"),
      source: oneOf(["generate"], "is not generate; a key made offline is imported, not listed: docs/keys.md"),
    }),
  )
  .refine((list) => twice(list) === undefined, {
    when: () => true, // said beside what is wrong with an entry, not after it
    error: ({ input }) => `${twice(input)} is listed twice`,
  });

function twice(list: unknown): string | undefined {
  if (!Array.isArray(list)) return undefined;
  const names = list.map((entry) => entry?.name).filter((name) => typeof name === "string" && name !== "");
  const alike = names.map((name) => name.toLowerCase());
  const at = alike.findIndex((name, index) => alike.indexOf(name) !== index);
  return at < 0 ? undefined : shown(names[at]);
}

/** Ids of the chains that may be signed for. */
export const chains = z
  .array(
    judgedBy(chainSchema, (id) => {
      const isForm = /^Net[1-9A-HJ-NP-Za-km-z]{12}$/.test(id);
      const mistake = isForm ? "has a mistyped character" : "is not a chain id, Net and 12 characters";
      return `${mistake}${didYouMean(id, CHAINS)}`;
    }),
  )
  .min(1, { error: "is empty: no request would ever be signed" });

/** A text that a schema of the signer judges, and our words for what it refuses. @param words gets its own as well */
function judgedBy(schema: z.ZodType<string>, words: (text: string, reason: string) => string) {
  return z.string().superRefine((text, context) => {
    const { error } = schema.safeParse(text);
    if (error === undefined) return;
    context.addIssue({ code: "custom", input: text, message: words(text, error.issues[0]?.message ?? "") });
  });
}

/** Where and until when the first watermarks may be made, in the form of the signer, which also takes `always`. */
export const firstWatermarks = asWritten(initialiseSchema.options[1]).superRefine((value, context) => {
  const { until } = (value ?? {}) as { until?: unknown };
  if (typeof until !== "string" || Number.isNaN(Date.parse(until))) return; // said already
  const refuse = (message: string) => context.addIssue({ code: "custom", path: ["until"], input: until, message });
  if (!until.endsWith("Z")) refuse("is not a time in UTC, which ends with Z");
  else if (Date.parse(until) > Date.now() + DAY) refuse("is more than 24 hours ahead");
});

/** What each key may sign, in the form of the signer. */
export const policy = asWritten(rulesSchema(keyPolicySchema.extend({ chains: chains.optional() })));

/** Kinds that are signed after a person confirmed them. */
export const kindsToConfirm = z.array(
  permissionSchema.refine((kind) => !CONSENSUS_KINDS.some((each) => each === kind), {
    error: "cannot wait for a person",
  }),
);

/** What a stack without its clients' keys says. */
const NONE = ["none"] as const;

/** The clients' public keys, or `none`: a production stack without them says so. */
export const authorizedKeys = z.union(
  [
    z.enum(NONE),
    z.array(
      judgedBy(authorizedKeySchema, (text, reason) =>
        nearest(text, NONE) === undefined
          ? reason
          : "is no public key; `authorizedKeys: none`, without a list, says that there is none",
      ),
    ),
  ],
  { error: ({ input }) => `is neither a list of public keys nor none${didYouMean(asText(input), NONE)}` },
);

/** Finds `none` in a value that was meant to say it: `None`, or a list of it. */
export function noneMeantBy(given: string): string | undefined {
  return nearest(given.replace(/^\[\s*"([^"]*)"\s*\]$/, "$1"), NONE);
}

/** The node whose head bounds what is signed, in the form of the signer. */
export const head = asWritten(headSchema).superRefine((value, context) => {
  const url = URL.parse(asText((value as { node?: unknown } | undefined)?.node));
  if (url === null || !url.hostname.startsWith("[") || isLoopback(url.hostname)) return;
  const message = "has an IPv6 address; the machine's network is IPv4";
  context.addIssue({ code: "custom", path: ["node"], input: url.href, message });
});

/**
 * Azure's rules: at most 50 tags, their names alike in any case, without some characters and without three prefixes; names
 * up to 128 characters on a storage account, values up to 256 (tag-resources, tag-support).
 */
export const tags = z.record(z.string(), z.unknown()).transform((found, context) => {
  const names = Object.keys(found);
  const refuse = (path: string[], input: unknown, message: string) =>
    context.addIssue({ code: "custom", path, input, message });
  if (names.length > MAX_TAGS) refuse([], found, `are ${names.length}; Azure takes 50, and three are the stack's own`);
  for (const [index, name] of names.entries()) {
    const value = found[name];
    const lower = name.toLowerCase();
    if (/[<>%&\\?/]/.test(name)) refuse([name], value, "is no tag name: <>%&\\?/ are not taken");
    if (name === "" || name.length > 128) refuse([name], value, "has no name of 1 to 128 characters");
    if (/^(azure|microsoft|windows)/.test(lower))
      refuse([name], value, "begins with a word that Azure keeps for itself");
    if (OWN_TAGS.includes(lower)) refuse([name], value, "is a tag of the stack's own; take another name");
    if (names.findIndex((other) => other.toLowerCase() === lower) < index) {
      refuse([name], value, "is there twice: Azure takes no notice of case");
    }
    if (typeof value !== "string") refuse([name], value, "is not a text; put it into quotes");
    else if (value.length > 256) refuse([name], value, "is not a text of up to 256 characters");
  }
  return found as Record<string, string>;
});
