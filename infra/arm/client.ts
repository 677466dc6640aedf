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

/** The next page. The token goes to no other host, and half a list is none. */
function following(link: unknown, path: string): string | undefined {
  if (link === undefined || link === null || link === "") return undefined;
  // Azure writes the port into some of its links.
  const next = typeof link === "string" ? link.replace(`${ENDPOINT}:443/`, `${ENDPOINT}/`) : "";
  if (next.startsWith(`${ENDPOINT}/`)) return next.slice(ENDPOINT.length);
  throw new Error(`${path.split("?")[0]}: its next page is not at ${ENDPOINT}`);
}

/** Returns what there is under a path; undefined where there is nothing. @throws ArmRefusal, NoAnswer */
export function get<Body>(path: string, asker: Asker): Promise<Body | undefined> {
  return ask(path, asker, {});
}

/** Asks a question that has a body of its own; it changes nothing either. @throws ArmRefusal, NoAnswer */
export function question<Body>(path: string, body: object, asker: Asker): Promise<Body | undefined> {
  const headers = { "content-type": "application/json" };
  return ask(path, asker, { method: "POST", headers, body: JSON.stringify(body) });
}

/** An answer that is no refusal. */
export interface Exchange {
  readonly status: number;
  readonly headers: Headers;
  /** undefined where what comes is no JSON. */
  readonly body: unknown;
}

async function ask<Body>(path: string, asker: Asker, init: RequestInit): Promise<Body | undefined> {
  try {
    const { status, body } = await exchange(path, asker, init);
    if (typeof body === "object" && body !== null) return body as Body;
    throw new Error(`${path.split("?")[0]}: ${status}, and what comes is no JSON object`);
  } catch (error) {
    // Where it is the subscription that is not there, nothing else is told.
    if (error instanceof ArmRefusal && error.status === 404 && !isOfSubscription(error.code)) return undefined;
    throw error;
  }
}

/** Sends a request. @throws ArmRefusal, NoAnswer */
export async function exchange(path: string, asker: Asker, init: RequestInit): Promise<Exchange> {
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
