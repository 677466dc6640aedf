import type { Logger } from "pino";
import { messagesOf, SignerError } from "../errors.ts";
import type { Outcome } from "../observability/last-hour.ts";
import type { Metrics } from "../observability/metrics.ts";
import type { RecentActivity } from "../observability/recent-activity.ts";
import { defectFields, RefusalLog } from "../observability/refusal-log.ts";
import type { RefusedPayloads } from "../observability/refused-payloads.ts";
import { type SummedLine, SummedLog } from "../observability/summed-log.ts";
import type { SigningRequest } from "../tezos/payload/payload.ts";
import { rowName } from "../watermark/stores/store.ts";
import type { RequestContext, SigningCall } from "./request-context.ts";

export interface AuditLogParts {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly activity: RecentActivity;
  /** Where the settings want the bytes of what was refused. */
  readonly payloads?: Pick<RefusedPayloads, "note"> | undefined;
}

/**
 * Records the outcome of every request, in one place: its log line, its count, and what /status shows of it. Never a
 * signature. Each signature that is made has a line of its own; refusals, which a client can repeat without end, are summed up.
 */
export class AuditLog {
  readonly #parts: AuditLogParts;
  readonly #refusals: RefusalLog;
  /** Of decisions: what was refused, and what was signed before, which had its line then. */
  readonly #refused: SummedLog;
  readonly #kept: SummedLog;
  /** What was answered and is not recorded yet. */
  #answered: (() => void)[] = [];

  constructor(parts: AuditLogParts) {
    this.#parts = parts;
    const { logger } = parts;
    this.#refusals = new RefusalLog(logger);
    this.#refused = new SummedLog(logger.warn.bind(logger));
    this.#kept = new SummedLog(logger.info.bind(logger));
  }

  /**
   * Records a request whose answer is about to leave, once it has: the answer waits for no line and no count. Its time is
   * taken now.
   * @param error what it was refused with; absent where a signature was released
   */
  recordAnswered({ client, signing }: Pick<RequestContext, "client" | "signing">, error?: unknown): void {
    if (signing !== undefined) signing.stages.total = totalOf(signing);
    if (this.#answered.length === 0) setImmediate(() => this.#recordAnswered());
    this.#answered.push(() => this.record({ client, ...(signing && { signing }) }, error));
  }

  /**
   * Records a request, once, when it is over.
   * @param error what it was refused with; absent where a signature was released
   */
  record({ client, signing }: Pick<RequestContext, "client" | "signing">, error?: unknown): void {
    if (signing !== undefined) {
      this.#decided(signing, error);
      return;
    }
    this.#parts.metrics.refused(codeOf(error));
    this.#refusals.write(client, error);
  }

  /** Writes what is only counted yet, for the end of the process. */
  flush(): void {
    this.#recordAnswered();
    for (const log of [this.#refusals, this.#refused, this.#kept]) log.flush();
  }

  #recordAnswered(): void {
    const answered = this.#answered;
    this.#answered = [];
    for (const record of answered) record();
  }

  /** Records a request that reached a key's policy. */
  #decided(call: SigningCall, error: unknown): void {
    const { logger, metrics, activity } = this.#parts;
    const { request, stages, address: key, client, source } = call;
    const verdict = error === undefined ? (source ?? "signed") : codeOf(error);
    stages.total ??= totalOf(call);
    const digest = Buffer.from(call.digest).toString("hex");
    metrics.decided(verdict, request, stages, { address: key, digest });
    const line = {
      key,
      client,
      ...fieldsOf(request, error === undefined ? undefined : MOST_NAMED),
      digest: digest.slice(0, 16),
      verdict,
      milliseconds: Object.fromEntries(
        Object.entries(stages).map(([stage, spent]) => [stage, Math.round(spent * 100) / 100]),
      ),
    };
    // What was kept took no key's time.
    if (verdict !== "kept") activity.lastHour.decided(outcomeOf(error), stages.total);
    if (error === undefined) activity.signed(rowOf(key, request));
    else activity.refused({ key, client, asked: kindsOf(request), code: verdict, message: shown(error) });
    if (error !== undefined && !healsByItself(error)) {
      const { payload } = call;
      this.#parts.payloads?.note({ client, key, code: verdict, message: shown(error), digest, request, payload });
    }
    if (verdict === "level-implausible") activity.implausible(rowOf(key, request), shown(error));
    const kind = [key, verdict];
    if (verdict === "signed") logger.info(line, "signed");
    else if (error === undefined) {
      this.#kept.note(client, [...kind, line.digest], verdict, {
        write: logger.info.bind(logger),
        fields: line,
        message: "signed",
      });
    } else this.#refused.note(client, [...kind, kindOf(request)], verdict, refusedLine(logger, line, error));
  }
}

/** How long a call has taken, in milliseconds, without the time that a person took: it would drown what the machines need. */
function totalOf({ started, stages }: SigningCall): number {
  return performance.now() - started - (stages.confirm ?? 0);
}

/** As many operations of a batch are named in the line of a refusal. */
const MOST_NAMED = 8;

function refusedLine(logger: Logger, line: object, error: unknown): SummedLine {
  const [warn, write] = [logger.warn.bind(logger), logger.error.bind(logger)];
  if (!(error instanceof SignerError)) {
    return { write, fields: { ...line, ...defectFields(error) }, message: "unexpected error" };
  }
  if (error.status < 500) return { write: warn, fields: line, message: error.message };
  return { write, fields: { ...line, cause: causeOf(error) }, message: error.message };
}

function kindOf(request: SigningRequest | undefined): string {
  return request?.type === "consensus" ? request.kind : (request?.type ?? "unparsed");
}

/** What octez asks for again by itself (errors.ts): nothing is wrong with its bytes. */
function healsByItself(error: unknown): boolean {
  return error instanceof SignerError && error.status === 502;
}

function outcomeOf(error: unknown): Outcome {
  if (error === undefined) return "signed";
  return error instanceof SignerError && error.status < 500 ? "refused" : "failed";
}

function codeOf(error: unknown) {
  return error instanceof SignerError ? error.code : "internal-error";
}

/** @param most operations that are named; all of them where it is absent */
function fieldsOf(request: SigningRequest | undefined, most?: number): object {
  switch (request?.type) {
    case undefined:
      return {};
    case "consensus": {
      const { kind, operation, chainId: chain, level, round } = request;
      return { kind, operation, chain, level, round };
    }
    case "operation":
      return { kind: "operation", ...namesOf(request.operations, most) };
    case "pack":
      return { kind: "pack" };
  }
}

function namesOf(all: readonly { readonly kind: string }[], most = all.length): object {
  const operations = all.slice(0, most).map(({ kind }) => kind);
  return all.length > most ? { operations, moreOperations: all.length - most } : { operations };
}

/** Names what the last signature is listed under: the watermark's row where there is one. */
function rowOf(address: string, request: SigningRequest | undefined): string {
  if (request?.type !== "consensus") return `${request?.type ?? "unparsed"} of ${address}`;
  return rowName({ chainId: request.chainId, address, kind: request.kind });
}

function kindsOf(request: SigningRequest | undefined): string {
  if (request?.type === "consensus") return `${request.operation} at level ${request.level} round ${request.round}`;
  return request?.type === "operation"
    ? request.operations.map(({ kind }) => kind).join(", ")
    : (request?.type ?? "unparsed");
}

/** What a client was told. Other errors may contain secrets. */
function shown(error: unknown): string {
  return error instanceof SignerError ? error.message : "The signer failed; its log says why.";
}

function causeOf({ cause }: SignerError): string | undefined {
  return cause === undefined ? undefined : messagesOf(cause);
}
