import { z } from "zod";
import { ADMIN_PORT, SIGNER_PORT } from "../contract.ts";
import type { Policy } from "../policy/policy.ts";
import { CONSENSUS_KINDS } from "../tezos/payload/consensus-kind.ts";
import { OPERATION_KINDS } from "../tezos/payload/operation.ts";
import { addressRangeSchema, base58, file, host, hostName, port, serviceUrl } from "./fields.ts";
import { azureMonitorSchema, metricsSchema } from "./observation-schema.ts";

/**
 * Everything that can be set, in one schema; docs/reference/settings.md lists exactly these (test/signer/settings/schema.test.ts).
 * Unknown names are refused, and every mistake is reported at once with its path. The stack's configuration is made of the
 * parts that are exported here.
 * @module
 */

/** Azure speaks TLS; plain HTTP is for an emulator on this computer. */
const vault = serviceUrl("the vault's address, such as https://NAME.vault.azure.net", {
  plainHttp: "loopback",
  path: "refused",
});

const TABLE = "the account's primary endpoint, such as https://ACCOUNT.table.core.windows.net";

/** A secondary endpoint lags behind the primary: a watermark read there would be an old one. */
const tableEndpoint = serviceUrl(TABLE, { plainHttp: "never", path: "taken" }).refine(
  (text) => !/-secondary\./.test(URL.parse(text)?.hostname ?? ""),
  { error: `must be ${TABLE}; this is the secondary one` },
);

const keyName = z
  .string()
  .regex(/^[0-9A-Za-z-]{1,127}(\/[0-9a-f]{32})?$/, { error: "must be a key's name, or its name/version" });

/** CKA_LABEL of a key, or `id:` and its CKA_ID in hex. */
const tokenKeyName = z.string().regex(/^(?!id:)(?=.).*$|^id:([0-9A-Fa-f]{2})+$/, {
  error: "must be a key's label, or id: and its CKA_ID in hex, such as id:01a0",
});

const keys = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("local"), path: file }),
  z.strictObject({
    kind: z.literal("azure-key-vault"),
    vault,
    include: z.union([z.literal("all"), z.array(keyName).min(1)]).default("all"),
    credential: z.enum(["managed-identity", "default"]).default("managed-identity"),
    clientId: z.guid().optional(),
  }),
  z.strictObject({
    kind: z.literal("pkcs11"),
    module: file,
    slot: z.int().min(0).optional(),
    tokenLabel: z.string().min(1).max(32).optional(),
    pin: z.strictObject({ file }),
    include: z.union([z.literal("all"), z.array(tokenKeyName).min(1)]).default("all"),
  }),
  z.strictObject({ kind: z.literal("tezio"), device: file }),
]);

const time = z.iso.datetime({ offset: true, error: "must be a time such as 2026-11-20T16:00:00Z" });
const level = z
  .int()
  .min(1)
  .max(2 ** 31 - 1);

/** `watermarks.initialise`: when missing state may be made; `until` becomes milliseconds since 1970. */
export const initialiseSchema = z.union(
  [z.literal("always"), z.strictObject({ level, until: time.transform(Date.parse) })],
  {
    error: "must be `always` (test networks only) or { level: 9123456, until: 2026-11-20T16:00:00Z }",
  },
);

const guard = {
  storeId: z.string().min(1).optional(),
  initialise: initialiseSchema.optional(),
  maxStep: z.union([z.int().min(1).max(1_000_000), z.literal("off")]).default(100),
  /** The protocol's constant minimal_block_delay, in seconds: 6 on mainnet since protocol 024. */
  minimalBlockDelay: z.int().min(1).max(3_600).default(1),
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

/** Id of a chain, `Net…`. */
export const chainSchema = base58("Net");

/** What a policy can allow: a kind of consensus request or of operation, or `pack`. */
export const permissionSchema = z.enum([...CONSENSUS_KINDS, ...OPERATION_KINDS, "pack"]);

/** The rule of one key, or the default one. */
export const keyPolicySchema = z.strictObject({
  allow: z.array(permissionSchema),
  confirm: z.array(permissionSchema).optional(),
  authentication: z.boolean().optional(),
  chains: z.array(chainSchema).min(1).optional(),
});

const address = base58("tz2", "tz3");

/**
 * Makes the schema of rules under `default` and under keys' addresses. zod looks below no name that is wrong, so names are
 * judged beside the rules.
 * @param rule keyPolicySchema, or a form of it
 */
export function rulesSchema<Rule extends z.ZodObject>(rule: Rule) {
  return z.record(z.string(), rule).superRefine(
    (rules, context) => {
      const refuse = (name: string, message: string) => {
        // What is no rule at all is said once, by its name.
        context.issues = context.issues.filter(({ path }) => path?.length !== 1 || path[0] !== name);
        context.addIssue({ code: "custom", path: [name], input: name, message });
      };
      for (const name of Object.keys(rules)) {
        const { error } = name === "default" ? {} : address.safeParse(name);
        if (error === undefined) continue;
        if (Object.hasOwn(rule.shape, name))
          refuse(name, "is a part of a rule; put it under default, or under a key's address");
        else refuse(name, `is neither default nor a key's address: ${error.issues[0]?.message}`);
      }
    },
    { when: ({ value }) => typeof value === "object" && value !== null && !Array.isArray(value) },
  );
}

/** `policy`: rules under `default` and under keys' addresses. */
export const policySchema = rulesSchema(keyPolicySchema).transform(
  ({ default: fallback, ...own }): Policy => ({ default: fallback, keys: new Map(Object.entries(own)) }),
);

/** Public key of a client that may ask, `edpk…`, `sppk…` or `p2pk…`. */
export const authorizedKeySchema = base58("edpk", "sppk", "p2pk");

/** A node elsewhere speaks TLS: its answers decide whether blocks are signed. */
const node = serviceUrl("a node's address, such as https://NODE.example.org", { plainHttp: "private", path: "taken" });

const levels = z.int().min(0).max(10_000);

/** `head`: the node that tells the chain's head, and how near to it requests must be. */
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
      port: port.default(SIGNER_PORT),
      tls: z.strictObject({ cert: file, key: file }).optional(),
    })
    .prefault({}),
  admin: z
    .strictObject({
      host: host.default("127.0.0.1"),
      port: port.default(ADMIN_PORT),
      names: z.array(hostName).min(1).optional(),
    })
    .prefault({}),
  keys,
  watermarks,
  policy: policySchema.prefault({}),
  confirmation: z.strictObject({ socket: file }).optional(),
  authentication: z.strictObject({ keys: z.array(authorizedKeySchema).min(1) }).optional(),
  allowedAddresses: z.array(addressRangeSchema).min(1).optional(),
  listKnownKeys: z.boolean().default(false),
  head: headSchema.optional(),
  metrics: metricsSchema.optional(),
  azureMonitor: azureMonitorSchema.optional(),
  refusedPayloads: z.strictObject({ file, most: z.int().min(1).max(100).default(20) }).optional(),
});

/** Names in each form of a union. */
type NameIn<Form> = Form extends Form ? keyof Form & string : never;

/**
 * Settings that take effect at once; every other one needs a new process. A backend of keys lists its own as `keys.NAME`.
 */
export const LIVE_SETTINGS = [
  "policy",
  "authentication",
  "allowedAddresses",
  "listKnownKeys",
  "head",
  "keys.include",
] as const satisfies (keyof Settings | `keys.${NameIn<Settings["keys"]>}`)[];

/** Settings as the program uses them: checked, with defaults filled in. */
export type Settings = z.output<typeof settingsSchema>;
