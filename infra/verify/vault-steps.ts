/**
 * What the machine is asked to do in the vault to throw away.
 * @module
 */
import { createHash, generateKeyPairSync } from "node:crypto";
import { VAULT } from "./machine-rows.ts";
import { VAULT_VERSION } from "./outside.ts";
import type { Step } from "./step.ts";
import { FIRST_KEY } from "./throw-away-vault.ts";

/** What is signed: a digest of 32 bytes. */
export const DIGEST = createHash("sha256").update("tezos-signer verify").digest();

const YEARS_AGO = 1_577_836_800; // 2020-01-01

/** A key in the clear, to throw away: it has guarded nothing, and never will. */
function jwkOfCurve(crv: string) {
  const { d, x, y } = generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey.export({ format: "jwk" });
  return { kty: "EC-HSM", crv, d, x, y, key_ops: ["sign", "verify"] };
}

/** Returns the steps of the first look. @param uri of the vault */
export function vaultSteps(uri: string): Step[] {
  const keys = (path: string, version = VAULT_VERSION) => `${uri}/keys${path}?${version}`;
  const sign = (name: string, key: string, alg = "ES256K", value: Uint8Array = DIGEST, version = VAULT_VERSION) =>
    ({
      name,
      ask: "POST",
      url: keys(`/${key}/sign`, version),
      token: VAULT,
      body: { alg, value: Buffer.from(value).toString("base64url") },
    }) as const;
  const get = (name: string, url: string, more: Partial<Step> = {}) =>
    ({ name, ask: "GET", url, token: VAULT, ...more }) as const;
  const send = (name: string, ask: "POST" | "PUT" | "PATCH", path: string, body: object, more: Partial<Step> = {}) =>
    ({ name, ask, url: keys(path), token: VAULT, body, ...more }) as const;
  const ecHsm = { kty: "EC-HSM", crv: "P-256K", key_ops: ["sign", "verify"] };
  const point = { x: "key.x", y: "key.y" };
  const first = { name: FIRST_KEY };
  const times = {
    created: `value.*${first.name}.attributes.created`,
    updated: `value.*${first.name}.attributes.updated`,
  };
  const clear = jwkOfCurve("P-256K");
  return [
    get("policy", keys(""), { until: 200, tries: 120, pause: 5 }),
    get("first", keys(`/${first.name}`), { pick: point, keep: { one: "key.kid" } }),
    { ...sign("signature", first.name), pick: { value: "value" } },
    { ...sign("twenty", first.name), times: 20, pick: { r: "value|0|4", s: "value|32|33" } },
    sign("short", first.name, "ES256K", DIGEST.subarray(1)),
    sign("other algorithm", first.name, "ES256"),
    sign("other version", first.name, "ES256K", DIGEST, "api-version=2099-01-01"),
    { ...sign("speed", first.name), times: 100 },
    { ...sign("fresh", first.name), times: 10, fresh: true },
    get("attestation", keys(`/${first.name}/{one}/attestation`), {
      pick: { blob: "attributes.attestation.publicKeyAttestation" },
    }),
    // What a list tells of a change. Its times have whole seconds.
    get("list 0", keys(""), { pick: times }),
    { sleep: 1.1 },
    send("tagged", "PATCH", `/${first.name}/{one}`, { tags: { a: "b" } }),
    get("list 1", keys(""), { pick: times }),
    { sleep: 1.1 },
    send("versioned", "POST", `/${first.name}/create`, ecHsm, { keep: { two: "key.kid" } }),
    get("list 2", keys(""), { pick: times }),
    get("versions", keys(`/${first.name}/versions`), {
      pick: { one: "value.*{one}.tags.a", two: "value.*{two}.tags.a", next: "nextLink", kid: "value.*{one}.kid" },
    }),
    send("version off", "PATCH", `/${first.name}/{one}`, { attributes: { enabled: false } }),
    get("disabled version", keys(`/${first.name}/{one}`), { pick: point }),
    send("off", "PATCH", `/${first.name}`, { attributes: { enabled: false } }),
    sign("disabled", first.name),
    get("disabled read", keys(`/${first.name}`), { pick: { ...point, enabled: "attributes.enabled" } }),
    send("second", "POST", "/k2/create", ecHsm),
    send("expiring", "PATCH", "/k2", { attributes: { exp: YEARS_AGO } }),
    sign("expired", "k2"),
    { name: "purge", ask: "DELETE", url: `${uri}/deletedkeys/none?${VAULT_VERSION}`, token: VAULT },
    { name: "deleting", ask: "DELETE", url: keys("/k2"), token: VAULT },
    sign("deleted", "k2"),
    get("deleted shown", `${uri}/deletedkeys/k2?${VAULT_VERSION}`, { until: 200, tries: 60 }),
    // One key under two names, in the clear.
    send("import 1", "PUT", "/k4", { Hsm: true, key: clear }, { pick: { kid: "key.kid", ...point } }),
    send("import 2", "PUT", "/k5", { Hsm: true, key: clear }, { pick: { kid: "key.kid", ...point } }),
    // As `az keyvault key import` names the curve.
    send("old name", "PUT", "/k6", { Hsm: true, key: jwkOfCurve("SECP256K1") }, { pick: { crv: "key.crv" } }),
    sign("old algorithm", "k6", "ECDSA256"),
    sign("new algorithm", "k6", "ES256K"),
    send(
      "exchange",
      "POST",
      "/kek/create",
      { kty: "RSA-HSM", key_size: 4096, key_ops: ["import"] },
      {
        pick: { kid: "key.kid", kty: "key.kty", key_ops: "key.key_ops", n: "key.n", e: "key.e" },
      },
    ),
    // More keys at once than a vault makes in ten seconds.
    {
      name: "flood",
      ask: "POST",
      url: keys("/k7/create"),
      token: VAULT,
      body: ecHsm,
      at_once: 16,
      heads: ["Retry-After"],
    },
  ];
}

/** Returns the steps of the second look. @param blob for the exchange key, and `short` the same cut short: base64url of a BYOK file */
export function importSteps(uri: string, blob: string, short: string): Step[] {
  const wrapped = (name: string, key: string, key_hsm: string) => ({
    name,
    ask: "PUT" as const,
    url: `${uri}/keys/${key}?${VAULT_VERSION}`,
    token: VAULT,
    body: { key: { kty: "EC-HSM", crv: "P-256K", key_hsm, key_ops: ["sign", "verify"] } },
    pick: { x: "key.x", y: "key.y" },
  });
  return [wrapped("wrapped", "k8", blob), wrapped("cut short", "k9", short)];
}

/** The rows of each look, for where nothing is told. */
export const VAULT_ROWS = [
  "policy works",
  "signature",
  "halves of S",
  "nonces",
  "short digest",
  "other algorithm",
  "signing speed",
  "new connections",
  "attestation",
  "disabled key",
  "disabled key is read",
  "expired key",
  "missing permission",
  "deleted key",
  "deleted key is listed",
  "unknown version",
  "throttling",
  "list tells a change",
  "list tells a version",
  "tags of versions",
  "disabled version is read",
  "one key, two names",
  "curve by its old name",
  "exchange key",
];

export const IMPORT_ROWS = ["wrapped key", "blob cut short"];
