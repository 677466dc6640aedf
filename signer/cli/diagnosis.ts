import { connect } from "node:net";
import { messagesOf } from "../errors.ts";
import { directAgent, get } from "../network/outgoing.ts";
import { portOf } from "../network/url.ts";
import { publicKeyFromBase58 } from "../tezos/crypto/public-key.ts";

/**
 * What a signer's port looks like from a computer that would ask it. Nothing is asked to be signed.
 * @module
 */

/** Why a signer is no use from here: the step at which it ended. */
export type Problem =
  | "name"
  | "refused"
  | "no-route"
  | "timeout"
  | "silent"
  | "tls"
  | "cut-off"
  | "address"
  | "not-a-signer"
  | "no-key"
  | "other-key";

/** Ends a look at a signer. */
export class ProblemFound extends Error {
  override readonly name = "ProblemFound";
  readonly problem: Problem;

  /** @param message what was seen, in a sentence */
  constructor(problem: Problem, message: string) {
    super(message);
    this.problem = problem;
  }
}

export interface ServedKey {
  readonly address: string;
  readonly publicKey: string;
}

/** A signer that answers. */
export interface Findings {
  /** Of new connections, each with its question, in milliseconds, the shortest first. */
  readonly roundTrips: readonly number[];
  /** Addresses of the clients' keys, one of which must sign a request; undefined where none needs to. */
  readonly authorizedKeys: readonly string[] | undefined;
  /** Undefined where it does not list them, and none was asked for. */
  readonly keys: readonly ServedKey[] | undefined;
}

/** A signer's place as octez writes it: a URL, and the address of a key behind it where that is known. */
export interface Target {
  readonly url: URL;
  readonly address: string | undefined;
}

/** Questions of which the round trip is the median. */
const ROUND_TRIPS = 5;
/** Characters of an answer: more than a thousand keys take. */
const MOST = 1024 * 1024;

/**
 * Looks at a signer, as octez would ask it: straight, without a proxy.
 * @param patience milliseconds for a connection, and for an answer
 * @throws ProblemFound where it could not sign for a client here
 */
export async function diagnose({ url, address }: Target, patience: number): Promise<Findings> {
  await requireConnection(url, patience);
  const ask = (path: string) => askOnce(new URL(`${url.pathname.replace(/\/$/, "")}${path}`, url), patience);
  const roundTrips: number[] = [];
  let authorized: Record<string, unknown> = {};
  for (let count = 0; count < ROUND_TRIPS; count += 1) {
    const started = performance.now();
    authorized = accepted(await ask("/authorized_keys"), url);
    roundTrips.push(performance.now() - started);
  }
  const addresses = address === undefined ? await listed(ask, url) : [address];
  const keys = addresses && (await Promise.all(addresses.map((each) => servedKey(ask, each, url))));
  return {
    roundTrips: roundTrips.toSorted((one, other) => one - other),
    authorizedKeys: texts(authorized.authorized_keys),
    keys,
  };
}

/** @throws ProblemFound */
async function requireConnection(url: URL, patience: number): Promise<void> {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const socket = connect({ host, port: portOf(url) });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const over = setTimeout(
    () => reject(new ProblemFound("timeout", `No connection in ${patience / 1_000} s.`)),
    patience,
  );
  socket.on("connect", resolve);
  socket.on("error", (error: NodeJS.ErrnoException) => reject(notConnected(error)));
  try {
    await promise;
  } finally {
    clearTimeout(over);
    socket.destroy();
  }
}

const CONNECTION_PROBLEMS: Readonly<Record<string, Problem>> = {
  ENOTFOUND: "name",
  EAI_AGAIN: "name",
  EAI_FAIL: "name",
  ECONNREFUSED: "refused",
  EHOSTUNREACH: "no-route",
  ENETUNREACH: "no-route",
  ETIMEDOUT: "timeout",
};

function notConnected(error: NodeJS.ErrnoException): ProblemFound {
  return new ProblemFound(CONNECTION_PROBLEMS[error.code ?? ""] ?? "no-route", `${messagesOf(error)}.`);
}

/** @throws ProblemFound where there is no answer */
async function askOnce(url: URL, patience: number): Promise<{ readonly status: number; readonly text: string }> {
  const signal = AbortSignal.timeout(patience);
  try {
    return await get(url, { agent: directAgent(url), signal, most: MOST });
  } catch (error) {
    if (signal.aborted) throw new ProblemFound("silent", `A connection, and no answer in ${patience / 1_000} s.`);
    throw new ProblemFound(isOfTls(error) ? "tls" : "cut-off", `${messagesOf(error)}.`);
  }
}

/** OpenSSL's refusals of a certificate have names of their own (nodejs.org, "X509 certificate error codes"). */
function isOfTls(error: unknown): boolean {
  const { code = "" } = error as NodeJS.ErrnoException;
  return /^ERR_(?:TLS|SSL)|^EPROTO$|CERT|^UNABLE_TO_|^HOSTNAME_MISMATCH$/.test(code);
}

/** Returns the object of an answer. @throws ProblemFound for any other answer */
function accepted({ status, text }: { status: number; text: string }, url: URL): Record<string, unknown> {
  const answer = parse(text);
  const told = messageIn(answer);
  if (status === 403 && told !== undefined) throw new ProblemFound("address", told.replace(/\.?$/, "."));
  if (status === 200 && typeof answer === "object" && answer !== null && !Array.isArray(answer)) return { ...answer };
  throw new ProblemFound("not-a-signer", `${url.origin} answers ${status}, and not as a signer does.`);
}

async function listed(
  ask: (path: string) => ReturnType<typeof askOnce>,
  url: URL,
): Promise<readonly string[] | undefined> {
  const answer = await ask("/known_keys");
  if (answer.status === 403) return undefined; // it does not list its keys
  return texts(accepted(answer, url).known_keys) ?? [];
}

/** @throws ProblemFound where it has no such key, or another one under this address */
async function servedKey(
  ask: (path: string) => ReturnType<typeof askOnce>,
  address: string,
  url: URL,
): Promise<ServedKey> {
  const answer = await ask(`/keys/${address}`);
  if (answer.status === 404 && messageIn(parse(answer.text)) !== undefined) {
    throw new ProblemFound("no-key", `The signer has no key ${address}.`);
  }
  const publicKey = String(accepted(answer, url).public_key);
  if (addressOf(publicKey) !== address) {
    throw new ProblemFound(
      "other-key",
      `Under ${address} it has the public key ${publicKey}, which is not that key's.`,
    );
  }
  return { address, publicKey };
}

function addressOf(publicKey: string): string | undefined {
  try {
    return publicKeyFromBase58(publicKey).address;
  } catch {
    return undefined;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The text of a refusal, in the form that octez reads. */
function messageIn(answer: unknown): string | undefined {
  const [first] = Array.isArray(answer) ? answer : [];
  const { msg } = (first ?? {}) as { readonly msg?: unknown };
  return typeof msg === "string" ? msg : undefined;
}

function texts(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) ? value.map(String) : undefined;
}
