import { Bundles } from "./bundles.ts";
import { openTransferBlob } from "./byok.ts";
import * as refuse from "./errors.ts";
import type { Fault } from "./faults.ts";
import type { KeyStore, KeyVersion } from "./key-store.ts";
import { paged } from "./paging.ts";
import type { Operation, Route } from "./routes.ts";
import { curvesOf, fromJwk, generate, isCurve, type Kty, type SoftwareKey, sign, verify } from "./software-key.ts";

/** An operation's request once caller, firewall, policy and fault script have let it through. */
export interface Call {
  readonly route: Route;
  readonly query: URLSearchParams;
  readonly body: Record<string, unknown>;
  /** As error texts name the caller. */
  readonly caller: string;
  readonly fault: Fault | undefined;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

const KTYS: readonly string[] = ["EC", "EC-HSM", "RSA", "RSA-HSM"] satisfies Kty[];
const EC_OPERATIONS = ["sign", "verify"];
const RSA_OPERATIONS = ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"];
const RSA_SIZES = [2048, 3072, 4096];

/** What each operation does to the store, and what it answers. */
export class Operations {
  readonly #store: KeyStore;
  readonly #bundles: Bundles;
  readonly #url: string;
  readonly #vault: string;
  readonly #random: () => number;
  /** Whether a disabled key can be read. Microsoft's documents say so of keys, unlike secrets; nobody here has seen it. */
  showsDisabledKeys = true;

  constructor(store: KeyStore, url: string, vault: string, random: () => number) {
    this.#store = store;
    this.#url = url;
    this.#vault = vault;
    this.#random = random;
    this.#bundles = new Bundles(url, store.recoverableDays);
  }

  /** @throws VaultRefusal */
  perform(call: Call): Answer {
    return HANDLERS[call.route.operation].call(this, call);
  }

  bundle(version: KeyVersion) {
    return this.#bundles.bundle(version);
  }

  list({ query }: Call): Answer {
    const items = this.#store.current().map((version) => this.#bundles.item(version, false));
    return { status: 200, body: paged(items, `${this.#url}/keys`, query) };
  }

  versions({ route, query }: Call): Answer {
    const sorted = [...this.#store.versions(route.name)].sort((a, b) => (a.version < b.version ? -1 : 1));
    const items = sorted.map((version) => this.#bundles.item(version, true));
    return { status: 200, body: paged(items, `${this.#url}/keys/${route.name}/versions`, query) };
  }

  get({ route }: Call): Answer {
    const version = this.#store.get(route.name, route.version);
    if (!version.enabled && !this.showsDisabledKeys) throw refuse.keyDisabled("get");
    return { status: 200, body: this.bundle(version) };
  }

  attestation({ route }: Call): Answer {
    const version = this.#store.get(route.name, route.version);
    const bundle = this.bundle(version);
    if (!version.key.kty.endsWith("HSM")) throw refuse.badParameter("Attestation is for HSM keys only");
    const blob = (text: string) => Buffer.from(`emulated ${text} of ${bundle.key.kid}`).toString("base64url");
    const attestation = {
      certificatePemFile: blob("certificate chain"),
      privateKeyAttestation: blob("private key attestation"),
      publicKeyAttestation: blob("public key attestation"),
      version: "1.0",
    };
    return { status: 200, body: { ...bundle, attributes: { ...bundle.attributes, attestation } } };
  }

  create({ route, body }: Call): Answer {
    const kty = ktyOf(body.kty);
    const ec = kty.startsWith("EC");
    const crv = body.crv ?? "P-256";
    if (ec && !isCurve(crv)) throw refuse.badParameter(`Property crv has invalid value: ${String(crv)}`);
    const size = body.key_size ?? 2048;
    if (!ec && !RSA_SIZES.includes(Number(size))) throw refuse.badParameter("Property key_size has invalid value");
    const attributes = attributesOf(body);
    if (attributes.exportable) throw refuse.badParameter("An exportable key needs a release_policy");
    const keyOps = keyOpsOf(body.key_ops, ec);
    const key = generate(kty, isCurve(crv) ? crv : "P-256", Number(size));
    const added = this.#store.add(route.name, key, { ...attributes, keyOps, tags: tagsOf(body) });
    return { status: 200, body: this.bundle(added) };
  }

  import({ route, body }: Call): Answer {
    const jwk = record(body.key, "key");
    const kty = ktyOf(jwk.kty);
    const hsmKty = body.Hsm === true && !kty.endsWith("HSM") ? ktyOf(`${kty}-HSM`) : kty;
    const keyOps = keyOpsOf(jwk.key_ops, hsmKty.startsWith("EC"));
    const key = jwk.key_hsm === undefined ? fromJwk(hsmKty, jwk) : this.#unwrap(hsmKty, String(jwk.key_hsm));
    if (jwk.crv !== undefined && jwk.crv !== key.crv) {
      throw refuse.badParameter(`Property crv is ${String(jwk.crv)}, and the key is of curve ${key.crv}`);
    }
    const added = this.#store.add(route.name, key, { ...attributesOf(body), keyOps, tags: tagsOf(body) });
    return { status: 200, body: this.bundle(added) };
  }

  update({ route, body }: Call): Answer {
    const version = this.#store.get(route.name, route.version);
    const { enabled, nbf, exp } = attributesOf(body);
    const given = body.attributes === undefined ? {} : record(body.attributes, "attributes");
    if (given.enabled !== undefined && enabled !== undefined) version.enabled = enabled;
    if (nbf !== undefined) version.nbf = nbf;
    if (exp !== undefined) version.exp = exp;
    if (body.key_ops !== undefined) version.keyOps = keyOpsOf(body.key_ops, version.key.crv !== undefined);
    if (body.tags !== undefined) version.tags = tagsOf(body);
    version.updated = Math.floor(Date.now() / 1000);
    return { status: 200, body: this.bundle(version) };
  }

  sign({ route, body, caller, fault }: Call): Answer {
    const version = this.#usable(route, "sign", caller);
    const digest = this.#digestOf(version, body.alg, body.value, "value");
    const signer =
      fault?.kind === "other-key" ? generate(version.key.kty, version.key.crv ?? "P-256", 2048) : version.key;
    const signature = Buffer.from(sign(signer, digest, fault?.kind === "high-s" || this.#random() < 0.5));
    if (fault?.kind === "wrong-signature") signature[40] = (signature[40] ?? 0) ^ 1;
    const kid = this.#bundles.kid(version);
    return { status: 200, body: { kid, value: signature.toString("base64url") } };
  }

  verify({ route, body, caller }: Call): Answer {
    const version = this.#usable(route, "verify", caller);
    const digest = this.#digestOf(version, body.alg, body.digest, "digest");
    return { status: 200, body: { value: verify(version.key, digest, Buffer.from(String(body.value), "base64url")) } };
  }

  delete({ route }: Call): Answer {
    const current = this.#store.get(route.name, "");
    return {
      status: 200,
      body: { ...this.#bundles.deletion(route.name, this.#store.remove(route.name)), ...this.bundle(current) },
    };
  }

  listDeleted({ query }: Call): Answer {
    const items = this.#store.allDeleted().flatMap((deleted) => {
      const current = deleted.versions.at(-1);
      if (current === undefined) return [];
      return { ...this.#bundles.deletion(current.name, deleted), ...this.#bundles.item(current, false) };
    });
    return { status: 200, body: paged(items, `${this.#url}/deletedkeys`, query) };
  }

  getDeleted({ route }: Call): Answer {
    const deleted = this.#store.deleted(route.name);
    const current = deleted.versions.at(-1);
    if (current === undefined) throw refuse.deletedKeyNotFound(route.name);
    return { status: 200, body: { ...this.#bundles.deletion(route.name, deleted), ...this.bundle(current) } };
  }

  recover({ route }: Call): Answer {
    return { status: 200, body: this.bundle(this.#store.recover(route.name)) };
  }

  purge({ route }: Call): Answer {
    this.#store.purge(route.name);
    return { status: 204 };
  }

  /** The version, if its state lets it do this. Verifying is allowed on a disabled or expired key, signing is not. */
  #usable(route: Route, operation: "sign" | "verify", caller: string): KeyVersion {
    const version = this.#store.get(route.name, route.version);
    const now = Date.now() / 1000;
    if (operation === "sign") {
      if (!version.enabled) throw refuse.keyDisabled(operation);
      if (version.nbf !== undefined && version.nbf > now) throw refuse.keyNotYetValid(operation);
      if (version.exp !== undefined && version.exp <= now) throw refuse.keyExpired(operation);
    }
    if (!version.keyOps.includes(operation)) throw refuse.operationNotInKeyOps(operation, caller, this.#vault);
    return version;
  }

  /** The digest of a request, if its algorithm is one for the key's curve as it is named. */
  #digestOf(version: KeyVersion, alg: unknown, value: unknown, property: string): Buffer {
    const { crv } = version.key;
    const curves = curvesOf(String(alg));
    if (curves === undefined) throw refuse.badParameter(`Property alg has invalid value: ${String(alg)}`);
    if (crv === undefined ? alg !== "RS256" : !curves.includes(crv)) {
      throw refuse.incompatible(this.#bundles.kid(version), crv, String(alg), curves);
    }
    const digest = Buffer.from(String(value ?? ""), "base64url");
    if (digest.length === 32) return digest;
    throw refuse.badParameter(
      `Invalid length of '${property}': ${digest.length} bytes. ${alg} requires 32 bytes, encoded with base64url.`,
    );
  }

  #unwrap(kty: Kty, blob: string): SoftwareKey {
    if (!kty.endsWith("HSM")) throw refuse.badParameter("A key transfer blob needs an HSM key type");
    return openTransferBlob(Buffer.from(blob, "base64url").toString(), kty, (kid) => this.#byKid(kid));
  }

  /** A key exchange key by its full id; of this vault, or undefined. */
  #byKid(kid: string): KeyVersion | undefined {
    const prefix = `${this.#url}/keys/`;
    const [name = "", version = ""] = kid.startsWith(prefix) ? kid.slice(prefix.length).split("/") : [];
    try {
      return version === "" ? undefined : this.#store.get(name, version);
    } catch {
      return undefined;
    }
  }
}

const HANDLERS: Record<Operation, (this: Operations, call: Call) => Answer> = {
  list: Operations.prototype.list,
  versions: Operations.prototype.versions,
  get: Operations.prototype.get,
  attestation: Operations.prototype.attestation,
  create: Operations.prototype.create,
  import: Operations.prototype.import,
  update: Operations.prototype.update,
  sign: Operations.prototype.sign,
  verify: Operations.prototype.verify,
  delete: Operations.prototype.delete,
  listDeleted: Operations.prototype.listDeleted,
  getDeleted: Operations.prototype.getDeleted,
  recover: Operations.prototype.recover,
  purge: Operations.prototype.purge,
};

function record(value: unknown, property: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  throw refuse.badParameter(`Property ${property} has invalid value`);
}

function ktyOf(value: unknown): Kty {
  if (KTYS.includes(String(value))) return value as Kty;
  throw refuse.badParameter(`Property kty has invalid value: ${String(value)}`);
}

function keyOpsOf(value: unknown, ec: boolean): string[] {
  const known = ec ? EC_OPERATIONS : [...RSA_OPERATIONS, "import"];
  const given = value === undefined ? (ec ? EC_OPERATIONS : RSA_OPERATIONS) : value;
  if (!Array.isArray(given) || !given.every((each) => known.includes(each))) {
    throw refuse.badParameter("Property key_ops has invalid value");
  }
  if (given.includes("import") && given.length > 1) {
    throw refuse.badParameter("Property key_ops has invalid value: 'import' excludes every other operation");
  }
  return [...given];
}

function attributesOf(
  body: Record<string, unknown>,
): Partial<Pick<KeyVersion, "enabled" | "nbf" | "exp" | "exportable">> {
  const {
    enabled = true,
    nbf,
    exp,
    exportable = false,
  } = body.attributes === undefined ? {} : record(body.attributes, "attributes");
  return {
    enabled: enabled !== false,
    ...(typeof nbf === "number" ? { nbf } : {}),
    ...(typeof exp === "number" ? { exp } : {}),
    exportable: exportable === true,
  };
}

function tagsOf(body: Record<string, unknown>): Record<string, string> {
  const tags = Object.entries(body.tags === undefined ? {} : record(body.tags, "tags"));
  if (tags.length > 15) throw refuse.badParameter("A key has at most 15 tags");
  return Object.fromEntries(tags.map(([key, value]) => [key, String(value)]));
}
