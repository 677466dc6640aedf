import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Connections } from "./key-vault/connections.ts";
import { bodyOf } from "./key-vault/replies.ts";
import type { TokenAuthority } from "./key-vault/tokens.ts";

/** One document of a post, as far as it is looked at. */
interface Document {
  readonly time: string;
  readonly data: {
    readonly baseData: {
      readonly metric: string;
      readonly namespace: string;
      readonly dimNames?: readonly string[];
      readonly series: readonly {
        readonly dimValues?: readonly string[];
        readonly min: number;
        readonly max: number;
        readonly sum: number;
        readonly count: number;
      }[];
    };
  };
}

/** What the store holds of one series in one minute. */
export interface Stored {
  readonly minimum: number;
  readonly maximum: number;
  readonly total: number;
  readonly count: number;
}

/** What the next post gets in place of an answer of its own. */
export type MonitorFault =
  | { readonly status: number; readonly code?: string; readonly retryAfter?: number }
  /** 200, and its body says that it failed (AzureMetricsResult). */
  | "failed-with-200"
  /** Taken, and the answer is lost. */
  | "lost"
  | "silent";

export const MONITOR_AUDIENCE = "https://monitoring.azure.com/";
const MAX_BODY = 4_000_000;
const MAX_DIMENSIONS = 10;
const MAX_LENGTH = 256;
const [OLDEST, NEWEST] = [-20 * 60_000, 5 * 60_000];
/** Azure's names of metrics, dimensions and values have no room for nothing. */
const BAD = (text: unknown) => typeof text !== "string" || text === "" || text.length > MAX_LENGTH;

/**
 * The store of custom metrics of one region: one resource, as whom Microsoft's pages say that it may be written to
 * (metrics-store-custom-rest-api, metrics-custom-overview).
 */
export class AzureMonitor {
  /** What `azureMonitor.endpoint` takes. */
  readonly url: string;
  /** Object ids that may write; a role that is new takes minutes to be among them. */
  readonly publishers = new Set<string>();
  readonly faults: MonitorFault[] = [];
  /** Posts so far. */
  calls = 0;
  readonly #tokens: TokenAuthority;
  readonly #resource: string;
  readonly #connections: Connections;
  readonly #stored = new Map<string, Stored>();

  static async start(tokens: TokenAuthority, resource: string): Promise<AzureMonitor> {
    const server = createServer();
    const connections = new Connections(server);
    const port = await connections.listen(0, "127.0.0.1");
    const monitor = new AzureMonitor(tokens, resource, connections, port);
    server.on("request", (request, response) => void monitor.#answer(request, response));
    return monitor;
  }

  private constructor(tokens: TokenAuthority, resource: string, connections: Connections, port: number) {
    this.url = `http://127.0.0.1:${port}`;
    this.#tokens = tokens;
    this.#resource = resource;
    this.#connections = connections;
  }

  /** Names of the metrics that it holds. */
  get metrics(): readonly string[] {
    return [...new Set([...this.#stored.keys()].map((key) => key.split(" ")[0] ?? ""))].sort();
  }

  /** All that was stored of a series, all minutes together. @param values of its dimensions, as NAME=VALUE, sorted */
  of(metric: string, ...values: readonly string[]): Stored | undefined {
    return this.#stored.get([metric, ...values].join(" "));
  }

  async stop(): Promise<void> {
    await this.#connections.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.calls += 1;
    const text = await bodyOf(request);
    const fault = this.faults.shift();
    if (fault === "silent") return;
    if (typeof fault === "object") {
      const { status, code = "InternalError", retryAfter } = fault;
      if (retryAfter !== undefined) response.setHeader("Retry-After", `${retryAfter}`);
      return reply(response, status, { error: { code, message: "…" } });
    }
    const [status, code, message] = this.#judge(request, text);
    if (fault === "failed-with-200") {
      return reply(response, 200, { statusCode: 400, apiFailureResponse: { error: { code: "BadRequest" } } });
    }
    if (status === 200) for (const line of text.split("\n").filter(Boolean)) this.#store(JSON.parse(line));
    if (fault === "lost") return void request.socket.destroy();
    reply(response, status, status === 200 ? {} : { error: { code, message } });
  }

  #judge(request: IncomingMessage, text: string): readonly [status: number, code?: string, message?: string] {
    const claims = this.#tokens.check(
      /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "",
      MONITOR_AUDIENCE,
    );
    if (typeof claims !== "object" || "audience" in claims) {
      return [401, typeof claims === "object" ? "InvalidAudience" : "AuthenticationFailed", "…"];
    }
    if (request.url !== `${this.#resource}/metrics` || request.method !== "POST") return [404, "NotFound", "…"];
    if (!this.publishers.has(claims.oid)) {
      const scope = `perform action 'Microsoft.Insights/Metrics/write' over scope '${this.#resource}'`;
      return [
        403,
        "AuthenticationFailed",
        `The Azure AD object '${claims.oid}' does not have permissions to ${scope}.`,
      ];
    }
    if (text.length > MAX_BODY) return [413, "RequestEntityTooLarge", "…"];
    if (request.headers["content-length"] === undefined) return [411, "LengthRequired", "…"];
    const isLines = request.headers["content-type"] === "application/x-ndjson";
    const lines = isLines ? text.split("\n").filter(Boolean) : [text];
    const mistake = lines.map((line) => mistakeIn(documentIn(line))).find((found) => found !== undefined);
    return mistake === undefined ? [200] : [400, "BadRequest", mistake];
  }

  #store({ data: { baseData } }: Document): void {
    const { metric, dimNames = [], series } = baseData;
    for (const { dimValues = [], min, max, sum, count } of series) {
      const dimensions = dimNames.map((name, index) => `${name}=${dimValues[index]}`).sort();
      const key = [metric, ...dimensions].join(" ");
      const before = this.#stored.get(key) ?? { minimum: min, maximum: max, total: 0, count: 0 };
      this.#stored.set(key, {
        minimum: Math.min(before.minimum, min),
        maximum: Math.max(before.maximum, max),
        total: before.total + sum,
        count: before.count + count,
      });
    }
  }
}

function documentIn(line: string): Partial<Document> | undefined {
  try {
    return JSON.parse(line) ?? undefined;
  } catch {
    return undefined;
  }
}

/** What Microsoft's pages say is refused; undefined where nothing is. */
function mistakeIn({ time, data }: Partial<Document> = {}): string | undefined {
  if (time === undefined || data?.baseData?.series === undefined) return "it is no document with a time and series";
  const age = Date.parse(time) - Date.now();
  if (!(age >= OLDEST && age <= NEWEST)) return "the time is not within 20 minutes before and 5 minutes after now";
  const { metric, namespace, dimNames = [], series } = data.baseData;
  if ([metric, namespace, ...dimNames].some(BAD)) return "a name is empty or too long";
  if (dimNames.length > MAX_DIMENSIONS) return "it has more than 10 dimensions";
  if (series.length === 0) return "it has no series";
  for (const { dimValues = [], min, max, sum, count } of series) {
    if (dimValues.length !== dimNames.length) return "dimension names and values are not as many";
    if (dimValues.some(BAD)) return "a dimension's value is empty or too long";
    if (![min, max, sum].every(Number.isFinite) || !Number.isInteger(count) || count < 1) return "a value is no number";
    if (min > max || sum < min * count - 1e-6 || sum > max * count + 1e-6)
      return "min, max, sum and count contradict each other";
  }
  return undefined;
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}
