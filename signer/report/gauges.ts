import { shortHash } from "../installation/own-release.ts";
import { keyProblem } from "../keys/key-problem.ts";
import type { Figure, Metrics } from "../observability/metrics.ts";
import { fullKeys, type ReportParts } from "./parts.ts";
import type { Readiness } from "./readiness.ts";

/** Sets the metrics of the present when they are asked for; those of outcomes are counted as they happen. */
export class Gauges {
  readonly #parts: ReportParts;
  readonly #readiness: Readiness;

  constructor(parts: ReportParts, readiness: Readiness) {
    this.#parts = parts;
    this.#readiness = readiness;
  }

  /** Renders /metrics (Prometheus text format 0.0.4). */
  render(): Promise<string> {
    this.#set();
    return this.#parts.metrics.text();
  }

  /** Collects the same figures as values. */
  figures(): Promise<readonly Figure[]> {
    this.#set();
    return this.#parts.metrics.figures();
  }

  #set(): void {
    const { certificate, keyring, metrics, release, store, updater } = this.#parts;
    const refused = [...keyring.keys.values()].filter((key) => keyProblem(key, store.id) !== undefined).length;
    const { version, sha256 } = release;
    metrics.buildInfo.set({ version, release: sha256 === undefined ? "checkout" : shortHash(sha256) }, 1);
    metrics.releaseRefused.set(updater().refused === null ? 0 : 1);
    metrics.ready.set(this.#readiness.look().ready ? 1 : 0);
    metrics.keys.set(keyring.keys.size - refused);
    metrics.keysRefused.set(refused);
    metrics.keysFull.set(fullKeys(this.#parts).size);
    metrics.headUnknown.set(this.#parts.follower.problem() === undefined ? 0 : 1);
    metrics.waiting.set(this.#parts.confirmations.waiting.length);
    metrics.outOfStep.set(this.#parts.others.look()?.some(({ inStep }) => inStep === false) ? 1 : 0);
    metrics.settingsRefused.set(this.#parts.live.refusal === undefined ? 0 : 1);
    if (certificate !== undefined) metrics.certificateExpiry.set({}, certificate.expiresAt.getTime() / 1_000);
    this.#setOfBackends();
  }

  /** Sets what is known of settings, head, store and vault now; what is not known has no value. */
  #setOfBackends(): void {
    const { backend, follower, keyring, live, metrics } = this.#parts;
    metrics.settingsInfo.reset();
    metrics.settingsInfo.set({ version: live.version }, 1);
    const set = (gauge: Metrics["headLevel"], value: number | undefined, labels = {}) =>
      value === undefined ? gauge.remove(labels) : gauge.set(labels, value);
    const tokenLife = keyring.tokenLife?.();
    set(metrics.tokenExpiry, tokenLife && (Date.now() + tokenLife) / 1_000);
    set(metrics.headLevel, follower.head?.level);
    for (const [name, at] of [["store", backend.answeredAt] as const, ["vault", keyring.answeredAt?.()] as const]) {
      set(metrics.answered, at && at / 1_000, { backend: name });
    }
    metrics.faults("store", backend.faults);
    metrics.faults("vault", keyring.faults?.() ?? new Map());
  }
}
