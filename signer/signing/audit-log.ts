import type { Logger } from "pino";
import { SignerError } from "../errors.ts";
import type { Metrics } from "../observability/metrics.ts";
import type { History } from "../observability/recent-activity.ts";
import type { SigningRequest } from "../tezos/payload/payload.ts";
import { rowName } from "../watermark/stores/store.ts";

/** What is known of a request while it is decided; becomes its log line. */
export interface Trace {
  readonly key: string;
  readonly client: string;
  readonly digest: string;
  /** performance.now() when it came. */
  readonly started: number;
  request?: SigningRequest;
  /** Milliseconds by stage. */
  readonly stages: Record<string, number>;
}

export interface JournalParts {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly history: History;
}

/** What remains of each decision: one log line, one count, one entry of the history. Never a signature. */
export class Journal {
  readonly #parts: JournalParts;

  constructor(parts: JournalParts) {
    this.#parts = parts;
  }

  /**
   * @param verdict `signed`, `kept`, or the code of an error
   * @param error what was thrown, where something was
   */
  write(trace: Trace, verdict: string, error?: unknown): void {
    const { logger, metrics, history } = this.#parts;
    const { request, stages, digest, key, client, started } = trace;
    // Without the time that a person took: it would drown what the machines need.
    stages.total = performance.now() - started - (stages.confirm ?? 0);
    metrics.decided(verdict, request, stages);
    const line = {
      key,
      client,
      ...describe(request),
      digest: digest.slice(0, 16),
      verdict,
      milliseconds: Object.fromEntries(
        Object.entries(stages).map(([stage, spent]) => [stage, Math.round(spent * 100) / 100]),
      ),
    };
    if (error === undefined) history.signed(rowOf(key, request));
    else history.refused({ key, client, asked: kindsOf(request), code: verdict, message: shown(error) });
    if (error === undefined) logger.info(line, "signed");
    else if (!(error instanceof SignerError)) logger.error({ ...line, err: error }, "failed");
    else if (error.status >= 500) logger.error({ ...line, cause: causeOf(error) }, error.message);
    else logger.warn(line, error.message);
  }
}

function describe(request: SigningRequest | undefined) {
  if (request === undefined) return {};
  switch (request.class) {
    case "consensus":
      return { class: request.operation, chain: request.chainId, level: request.level, round: request.round };
    case "operation":
      return { class: "operation", operations: request.operations.map(({ kind }) => kind) };
    case "pack":
      return { class: "pack" };
  }
}

/** What the last signature is listed under: the watermark's row where there is one. */
function rowOf(address: string, request: SigningRequest | undefined): string {
  if (request?.class !== "consensus") return `${request?.class ?? "unread"} of ${address}`;
  return rowName({ chainId: request.chainId, address, kind: request.kind });
}

function kindsOf(request: SigningRequest | undefined): string {
  if (request?.class === "consensus") return `${request.operation} at level ${request.level} round ${request.round}`;
  return request?.class === "operation"
    ? request.operations.map(({ kind }) => kind).join(", ")
    : (request?.class ?? "unread");
}

/** What a client was told; whatever is not of our table may hold anything. */
function shown(error: unknown): string {
  return error instanceof SignerError ? error.message : "The signer failed; its log says why.";
}

function causeOf({ cause }: SignerError): string | undefined {
  return cause instanceof Error ? cause.message : undefined;
}
