import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { ErrorCode } from "../errors.ts";
import type { SigningRequest } from "../tezos/payload/payload.ts";

/** From half a millisecond to two seconds, in seconds: a third of a block's six seconds, after which a baker calls a vote late. */
export const BUCKETS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2];

/** Refusals by a key's watermark, or by what is believed of its level. They come after the key was found. */
const WATERMARK_REFUSALS: ReadonlySet<string> = new Set<ErrorCode>([
  "position-below-watermark",
  "position-already-signed",
  "level-implausible",
  "watermark-missing",
  "watermark-untrusted",
]);

/** Rounds that are told apart; a chain that is well has round 0. */
const ROUNDS = 5;
/** Of so many signatures it is known that a request asks for the same bytes again. */
const MOST_REMEMBERED = 1_024;

/** One decision about a request for one key. */
export interface KeyDecision {
  /** Public key hash as the client named it: that of a key which is served, where something was signed or a watermark refused. */
  readonly address: string;
  /** Blake2b-256 of the payload, hex. */
  readonly digest: string;
  readonly verdict: string;
  readonly request: SigningRequest | undefined;
  readonly milliseconds: Readonly<Record<string, number>>;
}

/** Returns the label of what was asked. */
export function kindOf(request: SigningRequest | undefined): string {
  if (request === undefined) return "unparsed";
  return request.type === "consensus" ? request.kind : request.type;
}

/**
 * Counts by key. Only what a served key has signed, or what its watermark refused, makes a series, so no client makes one by
 * an address or a round of its own. Four of the names, and their labels, are Signatory's, which dashboards of the field know.
 */
export class KeyMetrics {
  readonly #vault: string;
  readonly #signed = new Set<string>();
  readonly #lastLevel: Gauge;
  readonly #lastSigned: Gauge;
  readonly #operations: Counter;
  readonly #rounds: Counter;
  readonly #refusals: Counter;
  readonly #durations: Histogram;

  /** @param vault the kind of backend that the settings name */
  constructor(registry: Registry, vault: string) {
    this.#vault = vault;
    const registers = [registry];
    this.#lastLevel = new Gauge({
      name: "tezos_signer_last_signed_level",
      help: "Level of the last signature that was released",
      labelNames: ["address", "kind"],
      registers,
    });
    this.#lastSigned = new Gauge({
      name: "tezos_signer_last_signed_timestamp_seconds",
      help: "When a signature was last released",
      labelNames: ["address", "kind"],
      registers,
    });
    this.#operations = new Counter({
      name: "signing_ops_total",
      help: "Signatures that were made",
      labelNames: ["address", "vault", "op", "kind"],
      registers,
    });
    this.#rounds = new Counter({
      name: "consensus_round_total",
      help: "Signed blocks and votes by their round",
      labelNames: ["address", "operation_type", "round"],
      registers,
    });
    this.#refusals = new Counter({
      name: "watermark_rejection_total",
      help: "Requests that a watermark refused",
      labelNames: ["address", "operation_type", "reason", "retry"],
      registers,
    });
    this.#durations = new Histogram({
      name: "vault_sign_request_duration_milliseconds",
      help: "Time of the key for a signature",
      labelNames: ["vault", "address", "op"],
      buckets: BUCKETS.map((seconds) => seconds * 1_000),
      registers,
    });
  }

  /** Counts a decision, once it is made. */
  decided({ address, digest, verdict, request, milliseconds }: KeyDecision): void {
    const op = kindOf(request);
    if (WATERMARK_REFUSALS.has(verdict)) {
      const retry = this.#signed.has(digest) ? "yes" : "no";
      this.#refusals.inc({ address, operation_type: op, reason: verdict, retry });
    }
    if (verdict === "signed" || verdict === "kept") this.#remember(digest);
    if (verdict !== "signed" || request === undefined) return;
    const { sign } = milliseconds;
    const vault = this.#vault;
    this.#lastSigned.setToCurrentTime({ address, kind: op });
    if (sign !== undefined) this.#durations.observe({ vault, address, op }, sign);
    const operations = request.type === "operation" ? request.operations.map(({ kind }) => kind) : [op];
    for (const kind of operations) this.#operations.inc({ address, vault, op, kind });
    if (request.type !== "consensus") return;
    this.#lastLevel.set({ address, kind: op }, request.level);
    const round = request.round < ROUNDS ? `${request.round}` : `${ROUNDS}+`;
    this.#rounds.inc({ address, operation_type: op, round });
  }

  #remember(digest: string): void {
    this.#signed.add(digest);
    const [oldest] = this.#signed;
    if (this.#signed.size > MOST_REMEMBERED && oldest !== undefined) this.#signed.delete(oldest);
  }
}
