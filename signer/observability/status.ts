import type { Confirmations } from "../confirmation/confirmations.ts";
import type { ConfirmationSocket } from "../confirmation/socket.ts";
import { type OwnRelease, shortHash } from "../installation/own-release.ts";
import type { UpdaterState } from "../installation/updater-state.ts";
import { keyProblem } from "../keys/key-problem.ts";
import type { Keyring } from "../keys/keyring.ts";
import type { HeadFollower } from "../policy/head-follower.ts";
import { policyOf } from "../policy/policy.ts";
import type { LiveSettings } from "../settings/live-settings.ts";
import type { Preparation } from "../watermark/preparation.ts";
import type { TrustedStore } from "../watermark/trusted-store.ts";
import type { Metrics } from "./metrics.ts";
import type { RecentActivity } from "./recent-activity.ts";

export interface StatusReportParts {
  readonly release: OwnRelease;
  /** What the machine's updater does now. */
  readonly updater: () => UpdaterState;
  readonly live: LiveSettings;
  readonly keyring: Keyring;
  readonly store: TrustedStore;
  readonly preparation: Preparation;
  readonly metrics: Metrics;
  readonly activity: RecentActivity;
  readonly follower: HeadFollower;
  readonly confirmations: Confirmations;
  readonly operators: ConfirmationSocket;
}

/** Seconds in whole numbers, or null. */
function seconds(milliseconds: number | undefined): number | null {
  return milliseconds === undefined ? null : Math.round(milliseconds / 1_000);
}

/** Reports what the admin port shows of a running signer. */
export class StatusReport {
  readonly #parts: StatusReportParts;
  readonly #started = new Date().toISOString();

  constructor(parts: StatusReportParts) {
    this.#parts = parts;
  }

  /** Says whether a signature can be had now; if not, why. */
  ready(): { ready: boolean; reasons: string[] } {
    const { keyring, preparation, store } = this.#parts;
    const reasons = new Set(store.stops.values());
    if (preparation.reason !== undefined) reasons.add(preparation.reason);
    const missing = keyring.problem?.() ?? (keyring.keys.size === 0 ? "There is no key that can sign." : undefined);
    if (missing !== undefined) reasons.add(missing);
    for (const key of keyring.keys.values()) {
      const problem = keyProblem(key, store.id);
      if (problem !== undefined) reasons.add(problem);
    }
    return { ready: reasons.size === 0, reasons: [...reasons] };
  }

  /** Collects /status. */
  async status() {
    const { keyring, live, store, metrics, preparation } = this.#parts;
    const { watermarks, confirmation } = live.current;
    const [p50, p99] = await Promise.all([metrics.quantile("sign", 0.5), metrics.quantile("sign", 0.99)]);
    return {
      started: this.#started,
      ...this.ready(),
      release: this.#release(),
      settings: {
        source: live.source,
        version: live.version,
        since: live.since.toISOString(),
        refused: live.refusal ?? null,
      },
      store: { kind: watermarks.kind, id: store.id ?? null, problem: preparation.reason ?? null },
      vault: {
        problem: keyring.problem?.() ?? null,
        tokenSeconds: seconds(keyring.tokenLife?.()),
        signMilliseconds: { p50: p50 ?? null, p99: p99 ?? null },
      },
      keys: [...keyring.keys.values()].map((key) => ({
        address: key.publicKey.address,
        publicKey: key.publicKey.base58,
        location: key.location,
        watermarkStore: key.boundStoreId ?? "not recorded with the key",
        problem: keyProblem(key, store.id) ?? null,
        policy: policyOf(live.current.policy, key.publicKey.address),
      })),
      watermarks: this.#watermarks(),
      head: this.#head(),
      confirmations: {
        socket: confirmation?.socket ?? null,
        problem: this.#parts.operators.problem ?? null,
        operators: this.#parts.confirmations.operators,
        waiting: this.#parts.confirmations.waiting,
      },
      refusals: this.#parts.activity.refusals,
    };
  }

  #release() {
    const { release, updater, live } = this.#parts;
    const { version, sha256 = null } = release;
    return { version, sha256, ...updater(), waitingSettings: live.awaited ?? null };
  }

  #head() {
    const { live, follower } = this.#parts;
    const { head: rule } = live.current;
    if (rule === undefined) return null;
    const { chainId = null, level = null, seenAt } = follower.head ?? {};
    const host = new URL(rule.node).host;
    const ageSeconds = seconds(seenAt === undefined ? undefined : Date.now() - seenAt);
    return { node: host, chainId, level, ageSeconds, problem: follower.problem() ?? null };
  }

  /** Every row with its mark, and when this process last signed by it; operations have no mark. */
  #watermarks() {
    const { lastSigned } = this.#parts.activity;
    const marks = new Map(this.#parts.store.marks);
    return [...new Set([...marks.keys(), ...lastSigned.keys()])].sort().map((row) => ({
      row,
      level: marks.get(row)?.level ?? null,
      round: marks.get(row)?.round ?? null,
      signedAt: lastSigned.get(row) ?? null,
    }));
  }

  /** Renders /metrics. */
  metrics(): Promise<string> {
    const { keyring, metrics, release, store, updater } = this.#parts;
    const refused = [...keyring.keys.values()].filter((key) => keyProblem(key, store.id) !== undefined).length;
    const { version, sha256 } = release;
    metrics.buildInfo.set({ version, release: sha256 === undefined ? "checkout" : shortHash(sha256) }, 1);
    metrics.releaseRefused.set(updater().refused === null ? 0 : 1);
    metrics.ready.set(this.ready().ready ? 1 : 0);
    metrics.keys.set(keyring.keys.size - refused);
    metrics.keysRefused.set(refused);
    metrics.headUnknown.set(this.#parts.follower.problem() === undefined ? 0 : 1);
    metrics.waiting.set(this.#parts.confirmations.waiting.length);
    metrics.settingsRefused.set(this.#parts.live.refusal === undefined ? 0 : 1);
    return metrics.registry.metrics();
  }
}
