import { z } from "zod";
import { isLoopback } from "../../network/url.ts";
import { ownCommand } from "../../own-command.ts";
import { readPort } from "./command-line.ts";
import { Conversion, ConversionError, type Converted } from "./conversion.ts";
import { noteUnknown, readDocument } from "./document.ts";
import { signatoryRule, tezosKey } from "./signatory-policy.ts";
import { convertVaults, vaults } from "./signatory-vaults.ts";

/** One key or a list of keys, as deep as one likes (pkg/config/config.go, AuthorizedKeys). */
const authorizedKeys: z.ZodType<string[]> = z.lazy(() =>
  z.union([z.string().transform((one) => [one]), z.array(authorizedKeys).transform((lists) => lists.flat())], {
    error: "must be a public key, or a list of them",
  }),
);

const server = z.looseObject({
  address: z.string().default(":6732"),
  utility_address: z.string().default(":9583"),
  authorized_keys: authorizedKeys.optional(),
  jwt: z.unknown().optional(),
});
const key = tezosKey.extend({ authorized_keys: authorizedKeys.nullish() });
const config = z.looseObject({
  server: server.nullish(),
  vaults: vaults.nullish(),
  tezos: z.record(z.string(), key.nullable()).nullish(),
  policy_hook: z.unknown().optional(),
  base_dir: z.string().default("/var/lib/signatory"),
  watermark: z.looseObject({ driver: z.string(), config: z.unknown().optional() }).nullish(),
});

/** Converts Signatory's configuration (v1.4.0, pkg/config/config.go). */
export function convertSignatory(text: string): Converted {
  const given = readDocument(config, text);
  const conversion = new Conversion();
  noteUnknown(conversion, given, Object.keys(config.shape), "");
  const { address, utility_address: utility, ...access } = given.server ?? server.parse({});
  listen(conversion, address, utility);
  convertVaults(given.vaults ?? {}, conversion);
  const served = Object.entries(given.tezos ?? {}).filter(([name]) => isServed(name, conversion));
  for (const [name, own] of served) conversion.settings.policy[name] = signatoryRule(name, own, conversion);
  authenticate(conversion, access.authorized_keys, served);
  if (access.jwt !== undefined && access.jwt !== null) {
    conversion.lostGuard(
      "server.jwt",
      "this signer knows no users: clients sign their requests (authentication.keys).",
    );
  }
  noteUnknown(conversion, given.server ?? {}, Object.keys(server.shape), "server.");
  noteUnknown(conversion, given.watermark ?? {}, ["driver", "config"], "watermark.");
  if (given.policy_hook !== undefined && given.policy_hook !== null) {
    conversion.lostGuard("policy_hook", "no other program is asked; `confirm` asks a person.");
  }
  noteRecord(conversion, given.watermark?.driver ?? "file", given.base_dir);
  return conversion.done();
}

function isServed(address: string, conversion: Conversion): boolean {
  if (/^tz[23]/.test(address)) return true;
  conversion.note("lost", `tezos.${address}`, "this signer has tz2 and tz3 keys only.");
  return false;
}

function listen(conversion: Conversion, address: string, utility: string): void {
  const [host, port] = hostAndPort(address, "server.address");
  conversion.listenAt(host, port, "server.address");
  const [adminHost, adminPort] = hostAndPort(utility, "server.utility_address");
  conversion.settings.admin.port = adminPort;
  if (!isLoopback(adminHost)) {
    conversion.note(
      "stricter",
      "server.utility_address",
      "the admin port asks nobody who they are, so it listens to this computer alone; if a Prometheus elsewhere asks it, set admin.host.",
    );
  }
}

function hostAndPort(text: string, place: string): [host: string, port: number] {
  const [, host, port] = /^(.*):(\d+)$/.exec(text) ?? [];
  if (host === undefined) throw new ConversionError(`${place}: must be HOST:PORT, such as :6732.`);
  return [host, readPort(port, place, 0)];
}

/**
 * Signatory has lists of clients' keys for the server and for single keys; here one list is for all. What is in each of them
 * may ask, which is stricter where they differ.
 */
function authenticate(
  conversion: Conversion,
  servers: readonly string[] | undefined,
  served: readonly (readonly [string, z.output<typeof key> | null])[],
): void {
  const own = served.map(([name, rule]) => [name, rule?.authorized_keys ?? servers] as const);
  const asked = own.flatMap(([, list]) => (list === undefined ? [] : [list]));
  const lists = [...asked, ...(servers === undefined ? [] : [servers])];
  if (lists.length === 0) return;
  const common = (lists[0] ?? []).filter((client) => lists.every((list) => list.includes(client)));
  const known = common.filter((client) => /^(edpk|sppk|p2pk)/.test(client));
  if (known.length < new Set(lists.flat()).size) {
    conversion.note(
      "stricter",
      "authorized_keys",
      "one list is for all keys here: it has those clients that were in every list, but for keys that are no edpk…, sppk… or p2pk….",
    );
  }
  if (known.length === 0) {
    throw new ConversionError(
      "authorized_keys: no client's key is in the list of the server and of each key. One signer has one list here: make a file for each group of keys, and convert each.",
    );
  }
  conversion.settings.authentication = { keys: known };
  for (const [name, list] of own) {
    const rule = conversion.settings.policy[name];
    if (list === undefined && rule !== undefined) conversion.settings.policy[name] = { ...rule, authentication: false };
  }
}

function noteRecord(conversion: Conversion, driver: string, base: string): void {
  if (driver === "mem") {
    conversion.note("stricter", "watermark.driver", "marks outlive a restart here. There is no record to take over.");
    return;
  }
  const source = { aws: "signatory-dynamodb", gcp: "signatory-firestore" }[driver] ?? "signatory";
  const where = source === "signatory" ? `${base}/watermark_v2` : "its table or collection";
  conversion.note(
    "by-hand",
    "watermark",
    `take the record in ${where} over, once it is stopped for good: \`${ownCommand(`watermarks import --from ${source}`)}\` (docs/coming-from.md, "Signatory").`,
  );
  if (source !== "signatory") {
    conversion.note(
      "by-hand",
      "watermark.driver",
      "several signers could share it. A SQLite file is one signer's: for two of them set kind: azure-table.",
    );
  }
}
