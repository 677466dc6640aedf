/**
 * Readers of single configuration values: text in, a typed value out, or an Error that says what is wrong.
 * Lists and objects are JSON, as Pulumi hands them over.
 * @module
 */
import { createHash } from "node:crypto";
import { parseBlocks } from "./addresses.ts";

/**
 * The SSH key of Pulumi.dev.yaml. Its 32 bytes are the SHA-256 of a sentence, so nobody can hold a private half.
 */
export const EXAMPLE_SSH_KEY = exampleSshKey("tezos-signer: an example that nobody can log in with");

/** A key pair that the stack has the vault's HSM make. */
export interface GeneratedKey {
  readonly name: string;
  /** P-256 gives a tz3 address, P-256K (secp256k1) a tz2. */
  readonly curve: "P-256" | "P-256K";
  readonly source: "generate";
}

export interface Operator {
  /** Object id of the person in Microsoft Entra, a GUID. */
  readonly objectId: string;
  /** The one IPv4 address that the person works from. */
  readonly ip: string;
}

/** A marketplace image, by the four parts of its URN. */
export interface Image {
  readonly publisher: string;
  readonly offer: string;
  readonly sku: string;
  readonly version: string;
}

/** Where missing watermarks may be created: below no level that was ever signed, and not after a time. */
export interface Initialise {
  readonly level: number;
  readonly until: string;
}

export function boolean(text: string): boolean {
  if (text !== "true" && text !== "false") throw new Error("is neither true nor false");
  return text === "true";
}

export function oneOf<const T extends string>(text: string, allowed: readonly T[]): T {
  const found = allowed.find((value) => value === text);
  if (found === undefined) throw new Error(`is none of ${allowed.join(", ")}`);
  return found;
}

/** An Azure region by its identifier, as `az account list-locations --query [].name` prints them. */
export function location(text: string): string {
  if (!/^[a-z]+[a-z0-9]*$/.test(text))
    throw new Error("is not a region's identifier: lower case letters and digits only");
  return text;
}

export function email(text: string): string {
  if (text !== "" && !/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(text)) throw new Error("is not an e-mail address");
  return text;
}

export function vmSize(text: string): string {
  if (!/^Standard_[A-Z][A-Za-z0-9_-]+$/.test(text))
    throw new Error("is not a size's name, which begins with Standard_");
  return text;
}

export function image(text: string): Image {
  const [publisher, offer, sku, version, ...rest] = text.split(":");
  if (!publisher || !offer || !sku || !version || rest.length > 0) {
    throw new Error("is not publisher:offer:sku:version");
  }
  return { publisher, offer, sku, version };
}

/** Azure takes RSA of 2048 bits or more and Ed25519 (Azure Linux VM documentation, "Supported SSH key formats"). */
export function sshPublicKey(text: string): string {
  if (/PRIVATE KEY/.test(text)) {
    throw new Error(
      "is a private key, and the stack's file holds it now: overwrite it with the file that ends in .pub",
    );
  }
  const [type = "", blob = "", ...comment] = text.split(/\s+/);
  if (type !== "ssh-ed25519" && type !== "ssh-rsa") throw new Error("is not an Ed25519 or RSA public key of one line");
  const bytes = Buffer.from(blob, "base64");
  const prefix = Buffer.concat([Buffer.from([0, 0, 0, type.length]), Buffer.from(type)]);
  if (bytes.toString("base64") !== blob || !bytes.subarray(0, prefix.length).equals(prefix)) {
    throw new Error(`its base64 part is damaged: it does not say ${type}`);
  }
  if (type === "ssh-ed25519" && bytes.length !== 51) throw new Error("is cut short: an Ed25519 key has 68 characters");
  if (type === "ssh-rsa" && bytes.length < 7 + 4 + 3 + 256) throw new Error("is an RSA key of fewer than 2048 bits");
  return [type, blob, ...comment].join(" ");
}

export function operator(text: string): Operator | undefined {
  const { objectId, ip, ...rest } = object(text);
  if (objectId === undefined && ip === undefined && isEmpty(rest)) return undefined;
  only(rest, "objectId and ip");
  if (typeof objectId !== "string" || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(objectId)) {
    throw new Error("objectId is not a GUID; `az ad signed-in-user show --query id -o tsv` prints yours");
  }
  if (typeof ip !== "string") throw new Error("ip is missing: the address that the operator works from");
  const [block, ...more] = parseBlocks(ip);
  if (block === undefined || block.prefix !== 32 || more.length > 0)
    throw new Error("ip is one address, not a block or list");
  return { objectId: objectId.toLowerCase(), ip: block.text };
}

/** Key names: 1-127 letters, digits and hyphens (Key Vault object identifiers). */
export function keys(text: string): GeneratedKey[] {
  const found = list(text).map((entry, index) => {
    if (typeof entry !== "object" || entry === null)
      throw new Error(`[${index}] is not an object with name, curve, source`);
    const { name, curve, source, ...rest } = entry as Record<string, unknown>;
    only(rest, "name, curve and source", `[${index}].`);
    if (typeof name !== "string" || !/^[0-9a-zA-Z-]{1,127}$/.test(name)) {
      throw new Error(`[${index}].name is not 1-127 letters, digits and hyphens`);
    }
    if (curve !== "P-256" && curve !== "P-256K")
      throw new Error(`[${index}].curve is neither P-256 (tz3) nor P-256K (tz2)`);
    if (source !== "generate") {
      throw new Error(`[${index}].source is not generate; a key made offline is imported, not listed: docs/keys.md`);
    }
    return { name, curve, source } as const;
  });
  const twice = found.find(({ name }, index) => found.findIndex((other) => other.name === name) !== index);
  if (twice !== undefined) throw new Error(`${twice.name} is listed twice`);
  return found;
}

export function chains(text: string): string[] {
  const found = names(text);
  if (found.length === 0) throw new Error("is empty: no request would ever be signed");
  const bad = found.find((id) => !/^Net[1-9A-HJ-NP-Za-km-z]{12}$/.test(id));
  if (bad !== undefined) throw new Error(`${bad} is not a chain id, Net and 12 characters`);
  return found;
}

export function initialise(text: string): Initialise | undefined {
  const { level, until, ...rest } = object(text);
  if (level === undefined && until === undefined && isEmpty(rest)) return undefined;
  only(rest, "level and until");
  // `config set --path initialise.level 9123456` stores a number; a value in quotes stays text.
  if (!Number.isInteger(level) || Number(level) < 1 || Number(level) > 2 ** 31 - 1) {
    throw new Error("level is not a block level, 1 to 2147483647");
  }
  if (
    typeof until !== "string" ||
    !/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z$/.test(until) ||
    Number.isNaN(Date.parse(until))
  ) {
    throw new Error("until is not a time in UTC");
  }
  if (Date.parse(until) > Date.now() + 24 * 3600 * 1000) throw new Error("until is more than 24 hours ahead");
  return { level: Number(level), until };
}

/** Its content is judged by the signer's own schema: signer-settings.ts. */
export function policy(text: string): Record<string, Record<string, unknown>> | undefined {
  const found = object(text);
  for (const [who, rules] of Object.entries(found)) {
    if (typeof rules !== "object" || rules === null || Array.isArray(rules)) throw new Error(`${who} is not an object`);
  }
  return isEmpty(found) ? undefined : (found as Record<string, Record<string, unknown>>);
}

export function head(text: string): Record<string, unknown> | undefined {
  const found = object(text);
  if (isEmpty(found)) return undefined;
  const { node } = found;
  if (typeof node !== "string" || !URL.canParse(node) || !/^https?:$/.test(new URL(node).protocol)) {
    throw new Error("node is not a URL of a Tezos node");
  }
  const { hostname } = new URL(node);
  if (hostname.startsWith("[") && hostname !== "[::1]") {
    throw new Error("node has an IPv6 address; the machine's network is IPv4");
  }
  return found;
}

/** Azure: at most 50 tags, names up to 128 characters on a storage account, values up to 256. Three are the stack's own. */
export function tags(text: string): Record<string, string> {
  const found = object(text);
  if (Object.keys(found).length > 47) throw new Error("are more than 47");
  for (const [name, value] of Object.entries(found)) {
    if (name === "" || name.length > 128 || /[<>%&\\?/]/.test(name))
      throw new Error(`${name} is no tag name: <>%&\\?/ are not taken`);
    if (typeof value !== "string" || value.length > 256)
      throw new Error(`${name} is not a text of up to 256 characters`);
  }
  return found as Record<string, string>;
}

export function names(text: string): string[] {
  const found = list(text);
  const bad = found.findIndex((entry) => typeof entry !== "string");
  if (bad >= 0) throw new Error(`[${bad}] is not text`);
  return found as string[];
}

function object(text: string): Record<string, unknown> {
  const found = json(text);
  if (typeof found !== "object" || found === null || Array.isArray(found)) throw new Error("is not a JSON object");
  return found as Record<string, unknown>;
}

function list(text: string): unknown[] {
  const found = json(text);
  if (!Array.isArray(found)) throw new Error("is not a JSON list");
  return found;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("is not JSON");
  }
}

function only(rest: Record<string, unknown>, allowed: string, path = ""): void {
  const [extra] = Object.keys(rest);
  if (extra !== undefined) throw new Error(`${path}${extra} is unknown; it takes ${allowed}`);
}

function isEmpty(found: object): boolean {
  return Object.keys(found).length === 0;
}

function exampleSshKey(sentence: string): string {
  const text = (value: Uint8Array) => Buffer.concat([Buffer.from([0, 0, 0, value.length]), value]);
  const blob = Buffer.concat([text(Buffer.from("ssh-ed25519")), text(createHash("sha256").update(sentence).digest())]);
  return `ssh-ed25519 ${blob.toString("base64")} example`;
}
