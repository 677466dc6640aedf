import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { ErrorCode } from "../errors.ts";
import type { SigningRequest } from "../tezos/payload/payload.ts";
import { EventLoopLag } from "./event-loop-lag.ts";
import { BUCKETS, KeyMetrics, kindOf } from "./key-metrics.ts";

/** Shares of the event loop's delays that are told, by their label. */
const LAG_QUANTILES = { "0.5": 50, "0.99": 99, "1": 100 } as const;

/** A metric with its values, as prom-client collects them: those of a histogram are its buckets, sum and count. */
export interface Figure {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly values: readonly {
    readonly value: number;
    readonly labels: Readonly<Record<string, string | number>>;
    readonly metricName?: string;
  }[];
}

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
  readonly #faults = this.#counter("backend_faults_total", "Failed calls of vault or store", ["backend", "cause"]);
  readonly #told = new Map<string, number>();
  readonly #lag = new EventLoopLag();
  readonly buildInfo = this.#gauge("build_info", "1, with what runs", ["version", "release"]);
  readonly releaseRefused = this.#gauge("release_refused", "1 while the wanted release is refused", []);
  readonly ready = this.#gauge("ready", "1 while requests can be signed", []);
  readonly settingsRefused = this.#gauge("settings_refused", "1 while the newest settings are not in use", []);
  readonly keys = this.#gauge("keys", "Keys that can sign", []);
  readonly keysRefused = this.#gauge("keys_refused", "Keys that are here and cannot sign until somebody mends it", []);
  readonly keysFull = this.#gauge("keys_full", "Keys with marks on so many chains that they get none on another", []);
  readonly headUnknown = this.#gauge("head_unknown", "1 while the head check has no fresh head to judge by", []);
  readonly waiting = this.#gauge("confirmations_waiting", "Requests that wait for a person", []);
  readonly outOfStep = this.#gauge("out_of_step", "1 while another machine has another release or other settings", []);
  readonly certificateExpiry = this.#gauge("tls_certificate_expiry_timestamp_seconds", "When it ends", []);
  readonly settingsInfo = this.#gauge("settings_info", "1, with the settings in use", ["version"]);
  readonly tokenExpiry = this.#gauge("vault_token_expiry_timestamp_seconds", "When it ends", []);
  readonly headLevel = this.#gauge("head_level", "Level of the followed head", []);
  readonly answered = this.#gauge("backend_answered_timestamp_seconds", "When it last answered", ["backend"]);
  readonly #lagSeconds = this.#gauge("event_loop_lag_seconds", "How late the event loop is", ["quantile"]);
  readonly #keys: KeyMetrics;

  /** @param vault the kind of backend that holds the keys, as the settings name it */
  constructor(vault = "local") {
    this.#keys = new KeyMetrics(this.registry, vault);
    // Where there is none of these there is no value either, and 0 would be one.
    for (const gauge of [this.certificateExpiry, this.tokenExpiry, this.headLevel]) gauge.remove();
  }

  /**
   * Counts a request that reached a key's policy.
   * @param milliseconds by stage
   * @param of the key that was asked for, and the payload's digest, hex
   */
  decided(
    verdict: string,
    request: SigningRequest | undefined,
    milliseconds: Readonly<Record<string, number>>,
    of?: { readonly address: string; readonly digest: string },
  ): void {
    this.#decisions.inc({ kind: kindOf(request), verdict });
    for (const [stage, spent] of Object.entries(milliseconds)) this.#stages.observe({ stage }, spent / 1_000);
    if (of !== undefined) this.#keys.decided({ ...of, verdict, request, milliseconds });
  }

  /** Takes how often a backend has failed since the start, by cause. @param causes of a table of ours */
  faults(backend: "vault" | "store", causes: ReadonlyMap<string, number>): void {
    for (const [cause, count] of causes) {
      const known = this.#told.get(`${backend} ${cause}`) ?? 0;
      this.#faults.inc({ backend, cause }, count - known);
      this.#told.set(`${backend} ${cause}`, count);
    }
  }

  /** Renders every metric, the event loop's delay as it is now. */
  text(): Promise<string> {
    this.#setLag();
    return this.registry.metrics();
  }

  /** Collects the same as values. */
  figures(): Promise<readonly Figure[]> {
    this.#setLag();
    return this.registry.getMetricsAsJSON() as Promise<readonly unknown[]> as Promise<readonly Figure[]>;
  }

  #setLag(): void {
    for (const [quantile, percent] of Object.entries(LAG_QUANTILES)) {
      this.#lagSeconds.set({ quantile }, this.#lag.seconds(percent));
    }
  }

  /** Ends the measuring of the event loop. */
  stop(): void {
    this.#lag.stop();
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
