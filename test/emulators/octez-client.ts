import { type RequestOptions, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { b58DecodeAndCheckPrefix, PrefixV2 } from "@taquito/utils";

/**
 * Asks a signer as octez does: octez src/lib_signer_backends/http_gen.ml and resto/src/client.ml. Each request has a
 * connection of its own, a signature takes two requests, and 502 alone is asked again.
 * @module
 */

/** A key in the client's wallet; Taquito's InMemorySigner is one. */
export interface WalletKey {
  publicKeyHash(): Promise<string>;
  /** Signs Blake2b-256 of the bytes. */
  sign(hex: string): Promise<{ readonly prefixSig: string }>;
}

export interface SignOptions {
  /** The one key of the wallet, for a signer that wants authentication. */
  readonly authenticate?: WalletKey;
  /** How often each request is asked again after a 502; octez: 9. */
  readonly retries?: number;
  /** Ends the request as a client does that is stopped. */
  readonly signal?: AbortSignal;
  /** Which of this computer's addresses to ask from. */
  readonly localAddress?: string;
  /** PEM of the authority that a https signer's certificate is checked against. */
  readonly ca?: string;
}

/** What octez's user would see: the signature, or the message of the first error. */
export interface SignResult {
  /** Status of the last answer. */
  readonly status: number;
  readonly signature?: string;
  readonly message?: string;
  /** How often the last request was sent. */
  readonly attempts: number;
}

/**
 * One signature.
 * @param baseUrl http(s)://host:port, with a path prefix or without
 * @param address public key hash
 * @param payloadHex magic byte first
 */
export async function sign(
  baseUrl: string,
  address: string,
  payloadHex: string,
  options: SignOptions = {},
): Promise<SignResult> {
  const listed = await ask(baseUrl, "GET", "/authorized_keys", undefined, options);
  if (listed.status !== 200) return refusal(listed);
  const { authorized_keys: authorized } = JSON.parse(listed.text) as { authorized_keys?: string[] };
  let query = "?version=3"; // V_latest of octez 25
  if (authorized !== undefined) {
    const key = options.authenticate;
    if (key === undefined || !authorized.includes(await key.publicKeyHash())) {
      const message = "remote signer expects authentication signature, but no authorized key was found in the wallet";
      return { status: listed.status, message, attempts: listed.attempts };
    }
    const { prefixSig } = await key.sign(authenticationBytes(address, payloadHex));
    query = `?authentication=${prefixSig}&version=3`;
  }
  const answer = await ask(baseUrl, "POST", `/keys/${address}${query}`, `"${payloadHex}"\n`, options);
  if (answer.status !== 200) return refusal(answer);
  const { signature } = JSON.parse(answer.text) as { signature: string };
  return { status: answer.status, signature, attempts: answer.attempts };
}

/** The public key as `octez-client import secret key NAME URI` asks for it. */
export async function publicKey(baseUrl: string, address: string): Promise<string> {
  const answer = await ask(baseUrl, "GET", `/keys/${address}`, undefined, {});
  if (answer.status !== 200) throw new Error(`${answer.status}: ${refusal(answer).message}`);
  return (JSON.parse(answer.text) as { public_key: string }).public_key;
}

/** The keys as `octez-client list known remote keys URI` asks for them. */
export async function knownKeys(baseUrl: string): Promise<readonly string[]> {
  const answer = await ask(baseUrl, "GET", "/known_keys", undefined, {});
  if (answer.status !== 200) throw new Error(`${answer.status}: ${refusal(answer).message}`);
  return (JSON.parse(answer.text) as { known_keys: string[] }).known_keys;
}

const TAGS: Readonly<Record<string, readonly [string, PrefixV2]>> = {
  tz1: ["00", PrefixV2.Ed25519PublicKeyHash],
  tz2: ["01", PrefixV2.Secp256k1PublicKeyHash],
  tz3: ["02", PrefixV2.P256PublicKeyHash],
};

/** signer_messages.ml: 04 01, the tagged public key hash, the payload; by Taquito's base58, not by ours. */
export function authenticationBytes(address: string, payloadHex: string): string {
  const [tag, prefix] = TAGS[address.slice(0, 3)] ?? [];
  if (tag === undefined || prefix === undefined) throw new Error(`no tz1, tz2 or tz3 address: ${address}`);
  const [hash] = b58DecodeAndCheckPrefix(address, [prefix]);
  return `0401${tag}${Buffer.from(hash).toString("hex")}${payloadHex}`;
}

interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly text: string;
  readonly attempts: number;
}

/** resto's RetryClient: ten attempts, sleeping 0, 0.1, 0.2 … s between them. */
async function ask(
  baseUrl: string,
  method: "GET" | "POST",
  path: string,
  body: string | undefined,
  { retries = 9, signal, ca, localAddress }: SignOptions,
): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await once(`${baseUrl}${path}`, method, body, { signal, ca, localAddress });
    if (answer.status !== 502 || attempt > retries) return { ...answer, attempts: attempt };
    await sleep((attempt - 1) * 100, undefined, { signal });
  }
}

function once(
  url: string,
  method: string,
  body: string | undefined,
  { signal, ca, localAddress }: { [Option in "signal" | "ca" | "localAddress"]: SignOptions[Option] | undefined },
): Promise<Omit<Answer, "attempts">> {
  const options: RequestOptions = {
    method,
    agent: false,
    headers: {
      accept: "application/json;q=1.000,application/bson;q=0.500,application/octet-stream;q=0.250",
      ...(body !== undefined && { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
    },
    ...(signal !== undefined && { signal }),
    ...(localAddress !== undefined && { localAddress }),
  };
  return new Promise((resolve, reject) => {
    const request = url.startsWith("https:")
      ? requestHttps(url, { ...options, ...(ca && { ca }) })
      : requestHttp(url, options);
    request.on("error", reject);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({ status: response.statusCode ?? 0, type: response.headers["content-type"], text });
      });
    });
    request.end(body);
  });
}

/** octez decodes an error only from JSON; anything else reaches its user as an unexpected answer. */
function refusal({ status, type, text, attempts }: Answer): SignResult {
  if (type !== "application/json") return { status, message: `unexpected content type ${type}: ${text}`, attempts };
  const [first] = JSON.parse(text) as { msg: string }[];
  return { status, message: first?.msg ?? "an empty error trace", attempts };
}
