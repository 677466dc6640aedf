/**
 * Asks Azure's resource manager, with the rights of whoever has the token. Only change.ts does more than read.
 * @module
 */

/** Azure's public cloud, the only one that this project knows. */
export const ENDPOINT = "https://management.azure.com";

/** The list of a region's sizes is long, and slow lines exist. */
const TIMEOUT_MS = 60_000;

/** As whom it is asked. */
export interface Asker {
  readonly token: string;
  /** Gives another token in the place of one that has ended: some work here takes longer than what is left of a login. */
  readonly renew?: (ended: string) => Promise<string>;
  /** How long an answer may take. */
  readonly timeoutMs?: number;
  /** Ends what is under way. */
  readonly signal?: AbortSignal;
}

/** Azure answered, and refused. Neither token nor body is in the message. */
export class ArmRefusal extends Error {
  readonly status: number;
  /** Azure's word for the reason; empty where it gives none. */
  readonly code: string;
  /** The tenant to which Azure says that the token must belong. */
  readonly tenant: string | undefined;

  constructor(path: string, status: number, code: string, tenant?: string) {
    super(`${path.split("?")[0]}: ${status} ${code}`.trim());
    this.status = status;
    this.code = code;
    this.tenant = tenant;
  }
}

/** Azure did not answer at all. */
export class NoAnswer extends Error {}

/**
 * Returns all entries of a list, page by page.
 * @throws ArmRefusal, NoAnswer; Error for what is no list
 */
export async function all<Entry>(path: string, asker: Asker): Promise<Entry[]> {
  const entries: Entry[] = [];
  const seen = new Set<string>();
  for (let next: string | undefined = path; next !== undefined; ) {
    if (seen.has(next)) throw new Error(`${path.split("?")[0]}: its pages go round`);
    seen.add(next);
    const page: { value?: Entry[]; nextLink?: unknown } | undefined = await get(next, asker);
    if (!Array.isArray(page?.value)) throw new Error(`no list at ${path.split("?")[0]}`);
    entries.push(...page.value);
    next = following(page.nextLink, path);
  }
  return entries;
}

/** The next page, or where the end is told. The token goes to no other host, and half a list is none. */
function following(link: unknown, path: string, what = "its next page"): string | undefined {
  if (link === undefined || link === null || link === "") return undefined;
  // Azure writes the port into some of its links.
  const next = typeof link === "string" ? link.replace(`${ENDPOINT}:443/`, `${ENDPOINT}/`) : "";
  if (next.startsWith(`${ENDPOINT}/`)) return next.slice(ENDPOINT.length);
  throw new Error(`${path.split("?")[0]}: ${what} is not at ${ENDPOINT}`);
}

/** Returns what there is under a path; undefined where there is nothing. @throws ArmRefusal, NoAnswer */
export async function get<Body>(path: string, asker: Asker): Promise<Body | undefined> {
  return bodyOf<Body>(await ask(path, asker, {}), path);
}

/** Asks a question that has a body of its own; it changes nothing either. @throws ArmRefusal, NoAnswer */
export async function question<Body>(path: string, body: object, asker: Asker): Promise<Body | undefined> {
  return bodyOf<Body>(await begin(path, body, asker), path);
}

/** What came of a question: an answer, or where one is told once there is one. */
export interface Begun {
  readonly status: number;
  readonly body: unknown;
  /** A path, where Azure goes on by itself (202). */
  readonly location: string | undefined;
}

/** Asks for something that may take Azure a while. @returns undefined where there is nothing under the path @throws ArmRefusal, NoAnswer */
export function begin(path: string, body: object, asker: Asker): Promise<Begun | undefined> {
  const headers = { "content-type": "application/json" };
  return ask(path, asker, { method: "POST", headers, body: JSON.stringify(body) });
}

function bodyOf<Body>(answer: Begun | undefined, path: string): Body | undefined {
  if (answer === undefined) return undefined;
  if (typeof answer.body === "object" && answer.body !== null) return answer.body as Body;
  throw new Error(`${path.split("?")[0]}: ${answer.status}, and what comes is no JSON object`);
}

async function ask(path: string, asker: Asker, init: RequestInit): Promise<Begun | undefined> {
  try {
    const { status, headers, body } = await exchange(path, asker, init);
    return { status, body, location: following(headers.get("location"), path, "its end") };
  } catch (error) {
    // Where it is the subscription that is not there, nothing else is told.
    if (error instanceof ArmRefusal && error.status === 404 && !isOfSubscription(error.code)) return undefined;
    throw error;
  }
}

/** An answer that is no refusal. */
export interface Exchange {
  readonly status: number;
  readonly headers: Headers;
  /** undefined where what comes is no JSON. */
  readonly body: unknown;
}

/** Sends a request, and once more with another token where the first has ended. @throws ArmRefusal, NoAnswer */
export async function exchange(path: string, asker: Asker, init: RequestInit): Promise<Exchange> {
  try {
    return await send(path, asker, init);
  } catch (error) {
    const hasEnded = error instanceof ArmRefusal && error.code === "ExpiredAuthenticationToken";
    if (!hasEnded || asker.renew === undefined) throw error;
    return send(path, { ...asker, token: await asker.renew(asker.token) }, init);
  }
}

async function send(path: string, asker: Asker, init: RequestInit): Promise<Exchange> {
  const { token, timeoutMs, signal: ended } = asker;
  const headers = { ...init.headers, authorization: `Bearer ${token}` };
  let response: Response;
  let text: string;
  try {
    const timeout = AbortSignal.timeout(timeoutMs ?? TIMEOUT_MS);
    const signal = ended === undefined ? timeout : AbortSignal.any([timeout, ended]);
    response = await fetch(ENDPOINT + path, { ...init, headers, signal });
    text = await response.text();
  } catch (error) {
    const { cause, message } = error as Error;
    // What fetch says of a header that it does not take has the header in it.
    const said = (cause instanceof Error ? cause.message : message).replaceAll(token, "TOKEN");
    throw new NoAnswer(`${ENDPOINT} does not answer: ${said}`);
  }
  const body = json(text);
  if (response.ok) return { status: response.status, headers: response.headers, body };
  const code = (body as { error?: { code?: unknown } } | null | undefined)?.error?.code;
  const tenant = /\/\/login\.(?:windows\.net|microsoftonline\.com)\/([0-9a-f-]{36})/i;
  throw new ArmRefusal(
    path,
    response.status,
    typeof code === "string" && /^\w{1,80}$/.test(code) ? code : "",
    tenant.exec(response.headers.get("www-authenticate") ?? "")?.[1],
  );
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isOfSubscription(code: string): boolean {
  return code === "SubscriptionNotFound" || code === "InvalidSubscriptionId";
}
