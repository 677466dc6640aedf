import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { ErrorCode } from "../errors.ts";
import type { SigningRequest } from "../tezos/payload/payload.ts";

/** From one millisecond to a request's deadline: an HSM's 20 ms and a slow store's 800 ms must be told apart. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12];

/**
 * Every metric of the signer; docs/reference/metrics.md lists exactly these (test/signer/observability/metrics.test.ts).
 * Labels take only values of our own tables, never a client's text.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly #decisions = this.#counter("decisions_total", "Requests by what was decided", ["kind", "verdict"]);
  readonly #refusals = this.#counter("refusals_total", "Requests that did not reach a key's policy", ["code"]);
  readonly #stages = new Histogram({
    name: "tezos_signer_stage_seconds",
    help: "Time of each stage of a request",
    labelNames: ["stage"],
    buckets: BUCKETS,
    registers: [this.registry],
  });
  readonly #lastSigned = this.#gauge("last_signed_timestamp_seconds", "When a signature was last released", ["kind"]);
  readonly buildInfo = this.#gauge("build_info", "1, with what runs", ["version", "release"]);
  readonly releaseRefused = this.#gauge("release_refused", "1 while the wanted release is refused", []);
  readonly ready = this.#gauge("ready", "1 while requests can be signed", []);
  readonly settingsRefused = this.#gauge("settings_refused", "1 while the newest settings are not in use", []);
  readonly keys = this.#gauge("keys", "Keys that can sign", []);
  readonly keysRefused = this.#gauge("keys_refused", "Keys that are here and cannot sign until somebody mends it", []);
  readonly keysFull = this.#gauge("keys_full", "Keys with marks on so many chains that they get none on another", []);
  readonly headUnknown = this.#gauge("head_unknown", "1 while the head check has no fresh head to judge by", []);
  readonly waiting = this.#gauge("confirmations_waiting", "Requests that wait for a person", []);
  readonly certificateExpiry = this.#gauge("tls_certificate_expiry_timestamp_seconds", "When it ends", []);

  constructor() {
    // A port without TLS has none, and 0 would be one that ended in 1970.
    this.certificateExpiry.remove();
  }

  /** Counts a request that reached a key's policy. @param milliseconds by stage */
  decided(verdict: string, request: SigningRequest | undefined, milliseconds: Readonly<Record<string, number>>): void {
    const kind = request === undefined ? "unparsed" : request.type === "consensus" ? request.kind : request.type;
    this.#decisions.inc({ kind, verdict });
    for (const [stage, spent] of Object.entries(milliseconds)) this.#stages.observe({ stage }, spent / 1_000);
    if (verdict === "signed") this.#lastSigned.setToCurrentTime({ kind });
  }

  /** Counts a request that did not. */
  refused(code: ErrorCode): void {
    this.#refusals.inc({ code });
  }

  /**
   * Estimates a quantile of a stage's durations from its histogram.
   * @param share of the durations that are shorter, 0 to 1
   * @returns milliseconds, at most the bound of the bucket; undefined before the first one
   */
  async quantile(stage: string, share: number): Promise<number | undefined> {
    const { values } = await this.#stages.get();
    const buckets = values.filter(
      ({ labels, metricName }) => labels.stage === stage && metricName?.endsWith("_bucket"),
    );
    const rank = (buckets.at(-1)?.value ?? 0) * share;
    let below = { bound: 0, count: 0 };
    for (const { labels, value: count } of buckets) {
      const { le } = labels as { readonly le?: string | number };
      const bound = le === "+Inf" ? below.bound : Number(le);
      if (count > 0 && count >= rank) {
        const inside = count === below.count ? 0 : (rank - below.count) / (count - below.count);
        return 1_000 * (below.bound + (bound - below.bound) * inside);
      }
      below = { bound, count };
    }
    return undefined;
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name: `tezos_signer_${name}`, help, labelNames, registers: [this.registry] });
  }

  #gauge(name: string, help: string, labelNames: string[]): Gauge {
    return new Gauge({ name: `tezos_signer_${name}`, help, labelNames, registers: [this.registry] });
  }
}
