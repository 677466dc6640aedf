import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { Connections } from "../key-vault/connections.ts";
import { type Fault, Faults } from "../key-vault/faults.ts";
import { seededRandom } from "../key-vault/random.ts";
import { bodyOf } from "../key-vault/replies.ts";
import { type Identity, TokenAuthority } from "../key-vault/tokens.ts";
import { ScheduledEvents } from "./scheduled-events.ts";

export interface ImdsOptions {
  /** The managed identities of the machine; a request without client_id gets the first if it is the only one. */
  readonly identities?: readonly Identity[];
  readonly tokens?: TokenAuthority;
  /** Seconds until a token expires; default 86,400, as on Azure. */
  readonly lifetime?: number;
  /** The machine's name, as scheduled events name it. */
  readonly machine?: string;
  readonly host?: string;
  readonly port?: number;
  readonly seed?: number;
}

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

const USER_DATA_PER_SECOND = 5;

/** Azure's Instance Metadata Service: tokens of managed identities, userData, scheduled events. */
export class Imds {
  /** What AZURE_POD_IDENTITY_AUTHORITY_HOST takes. */
  readonly url: string;
  readonly faults: Faults;
  readonly tokens: TokenAuthority;
  readonly connections: Connections;
  /** Requests so far. */
  readonly calls = { token: 0, userData: 0, events: 0, name: 0 };
  readonly events = new ScheduledEvents();
  /** The machine's settings, in the clear; the service hands them out in base64. */
  userData = "";
  /** Seconds until a token expires. */
  lifetime: number;
  readonly #identities: readonly Identity[];
  readonly #machine: string;
  readonly #port: number;
  readonly #host: string;
  /** The service keeps a token for its callers until half of its life is over. */
  readonly #cache = new Map<string, { readonly token: string; readonly exp: number; readonly lifetime: number }>();
  #userDataTimes: number[] = [];

  static async start(options: ImdsOptions = {}): Promise<Imds> {
    const server = createServer();
    const connections = new Connections(server);
    const host = options.host ?? "127.0.0.1";
    const port = await connections.listen(options.port ?? 0, host);
    const imds = new Imds(options, connections, host, port);
    server.on("request", (request, response) => void imds.#answer(request, response));
    return imds;
  }

  private constructor(options: ImdsOptions, connections: Connections, host: string, port: number) {
    this.url = new URL(`http://${host}:${port}`).origin;
    this.#host = host;
    this.#port = port;
    this.connections = connections;
    this.tokens = options.tokens ?? new TokenAuthority();
    this.lifetime = options.lifetime ?? 86_400;
    this.faults = new Faults(seededRandom(options.seed ?? 1));
    this.#identities = options.identities ?? [];
    this.#machine = options.machine ?? "signer";
  }

  /** Makes every token worthless that was handed out and is still kept; the next requests get new ones. */
  revokeTokens(): void {
    this.tokens.revokeAll([...this.#cache.values()].map((entry) => entry.token));
    this.#cache.clear();
  }

  async goAway(): Promise<void> {
    await this.connections.close();
  }

  async comeBack(): Promise<void> {
    await this.connections.listen(this.#port, this.#host);
  }

  async stop(): Promise<void> {
    await this.connections.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const reused = this.connections.reused(request.socket);
    const text = await bodyOf(request);
    const url = new URL(request.url ?? "/", this.url);
    const part = PARTS.find(([path]) => path === url.pathname.replace(/\/$/, ""))?.[1];
    if (part !== undefined) this.calls[part] += 1;
    const fault = part === undefined ? undefined : this.faults.next(part, reused);
    if (fault !== undefined && (await this.#instead(fault, request, response))) return;
    const reply = refusal(request, url) ?? this.#reply(part, url.searchParams, request.method ?? "", text);
    const plain = typeof reply.body === "string";
    response.writeHead(reply.status, { "Content-Type": plain ? "text/plain" : "application/json; charset=utf-8" });
    response.end(plain ? reply.body : JSON.stringify(reply.body));
  }

  #reply(
    part: "token" | "userData" | "events" | "name" | undefined,
    query: URLSearchParams,
    method: string,
    text: string,
  ): Reply {
    if (part === "token") return this.#token(query);
    if (part === "userData") return this.#readUserData();
    if (part === "name") return { status: 200, body: this.#machine };
    if (part === "events" && method === "POST") return { status: this.events.start(text) ? 200 : 400, body: "" };
    if (part === "events") return { status: 200, body: this.events.document(this.#machine) };
    return { status: 404, body: { error: "Not found" } };
  }

  #token(query: URLSearchParams): Reply {
    const resource = query.get("resource");
    if (resource === null) return invalidRequest("Required query variable 'resource' is missing");
    const clientId = query.get("client_id");
    const identity =
      clientId === null && this.#identities.length === 1
        ? this.#identities[0]
        : this.#identities.find((each) => each.clientId === clientId);
    if (identity === undefined) {
      return clientId === null && this.#identities.length > 1
        ? invalidRequest(
            "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request",
          )
        : invalidRequest("Identity not found");
    }
    const now = Math.floor(Date.now() / 1000);
    const key = `${identity.clientId} ${resource}`;
    let kept = this.#cache.get(key);
    if (kept === undefined || kept.exp - now < kept.lifetime / 2) {
      const { token, claims } = this.tokens.issue(identity, resource, this.lifetime);
      kept = { token, exp: claims.exp, lifetime: this.lifetime };
      this.#cache.set(key, kept);
    }
    return {
      status: 200,
      body: {
        access_token: kept.token,
        client_id: identity.clientId,
        expires_in: String(kept.exp - now),
        expires_on: String(kept.exp),
        ext_expires_in: String(kept.lifetime),
        not_before: String(kept.exp - kept.lifetime),
        refresh_token: "",
        resource,
        token_type: "Bearer",
      },
    };
  }

  #readUserData(): Reply {
    const now = Date.now();
    this.#userDataTimes = this.#userDataTimes.filter((time) => time > now - 1000);
    if (this.#userDataTimes.length >= USER_DATA_PER_SECOND)
      return { status: 429, body: { error: "Too many requests" } };
    this.#userDataTimes.push(now);
    return { status: 200, body: Buffer.from(this.userData).toString("base64") };
  }

  async #instead(fault: Fault, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    if (fault.kind === "reset" || fault.kind === "reset-reused") {
      this.connections.reset(request.socket);
      return true;
    }
    if (fault.kind === "stall-headers") return true;
    if (fault.kind === "stall-body") {
      response.writeHead(200, { "Content-Type": "application/json", "Content-Length": "2000" });
      response.write('{"access_token":"');
      return true;
    }
    if (fault.kind === "status") {
      const headers: Record<string, string> =
        fault.retryAfter === undefined ? {} : { "Retry-After": String(fault.retryAfter) };
      response.writeHead(fault.status, { "Content-Type": "application/json", ...headers });
      response.end(JSON.stringify({ error: "temporarily_unavailable", error_description: "Try again later" }));
      return true;
    }
    if (fault.kind === "delay") await sleep(fault.ms);
    return false;
  }
}

const PARTS = [
  ["/metadata/identity/oauth2/token", "token"],
  ["/metadata/instance/compute/userData", "userData"],
  ["/metadata/scheduledevents", "events"],
  ["/metadata/instance/compute/name", "name"],
] as const;

const invalidRequest = (description: string): Reply => ({
  status: 400,
  body: { error: "invalid_request", error_description: description },
});

/** What the service refuses for every path: the marks of a forwarded or forged request, and a missing version. */
function refusal(request: IncomingMessage, url: URL): Reply | undefined {
  if (request.headers["x-forwarded-for"] !== undefined) return invalidRequest("The request was forwarded");
  if (request.headers.metadata?.toString().toLowerCase() !== "true") {
    return {
      status: 400,
      body: { error: "bad_request_102", error_description: "Required metadata header not specified" },
    };
  }
  if (!url.searchParams.has("api-version")) {
    return { status: 400, body: { error: "Bad request. api-version was not specified in the request" } };
  }
  return undefined;
}
