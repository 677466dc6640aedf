import manifest from "../package.json" with { type: "json" };
import type { Keyring } from "./keys/keyring.ts";
import type { LiveSettings } from "./live-settings.ts";
import type { Metrics } from "./metrics.ts";
import { ofAnotherStore } from "./pipeline.ts";
import { policyOf } from "./policy/policy.ts";
import type { Preparation } from "./watermark/preparation.ts";
import type { TrustedStore } from "./watermark/trusted-store.ts";

export interface ReportParts {
  readonly live: LiveSettings;
  readonly keyring: Keyring;
  readonly store: TrustedStore;
  readonly preparation: Preparation;
  readonly metrics: Metrics;
}

/** What the admin port shows of a running signer. */
export class Report {
  readonly #parts: ReportParts;
  readonly #started = new Date().toISOString();

  constructor(parts: ReportParts) {
    this.#parts = parts;
  }

  ready(): { ready: boolean; reasons: string[] } {
    const { keyring, preparation, store } = this.#parts;
    const reasons = new Set(store.stops.values());
    if (preparation.reason !== undefined) reasons.add(preparation.reason);
    const missing = keyring.problem?.() ?? (keyring.keys.size === 0 ? "There is no key that can sign." : undefined);
    if (missing !== undefined) reasons.add(missing);
    for (const key of keyring.keys.values()) {
      const refused = ofAnotherStore(key, store.id);
      if (refused !== undefined) reasons.add(refused);
    }
    return { ready: reasons.size === 0, reasons: [...reasons] };
  }

  status() {
    const { keyring, live, store } = this.#parts;
    const keys = [...keyring.keys.values()].map(({ publicKey, location, store: bound }) => ({
      address: publicKey.address,
      publicKey: publicKey.base58,
      location,
      watermarkStore: bound ?? "not recorded with the key",
      policy: policyOf(live.current.policy, publicKey.address),
    }));
    const watermarks = [...store.marks].map(([row, { level, round }]) => ({ row, level, round }));
    const settings = { source: live.source, since: live.since.toISOString(), refused: live.refusal ?? null };
    return { version: manifest.version, started: this.#started, ...this.ready(), settings, keys, watermarks };
  }

  metrics(): Promise<string> {
    const { keyring, metrics } = this.#parts;
    metrics.ready.set(this.ready().ready ? 1 : 0);
    metrics.keys.set(keyring.keys.size);
    metrics.settingsRefused.set(this.#parts.live.refusal === undefined ? 0 : 1);
    return metrics.registry.metrics();
  }
}
