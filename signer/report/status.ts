import { keyProblem } from "../keys/key-problem.ts";
import { policyOf } from "../policy/policy.ts";
import { compare } from "../watermark/decision.ts";
import type { StoredMarks } from "../watermark/store-view.ts";
import { rowName } from "../watermark/stores/store.ts";
import { fullKeys, fullReason, type ReportParts, rememberedRows } from "./parts.ts";
import type { Readiness } from "./readiness.ts";

/** Seconds in whole numbers, or null. */
function seconds(milliseconds: number | undefined): number | null {
  return milliseconds === undefined ? null : Math.round(milliseconds / 1_000);
}

/** A time in ISO 8601, or null. */
function timeOf(milliseconds: number | undefined): string | null {
  return milliseconds === undefined ? null : new Date(milliseconds).toISOString();
}

/** What /status shows. */
export type StatusReport = Awaited<ReturnType<Status["collect"]>>;

/** Collects what /status shows of a running signer. */
export class Status {
  readonly #parts: ReportParts;
  readonly #readiness: Readiness;
  readonly #started = new Date().toISOString();

  constructor(parts: ReportParts, readiness: Readiness) {
    this.#parts = parts;
    this.#readiness = readiness;
  }

  async collect() {
    const { certificate, keyring, live, store, metrics, preparation } = this.#parts;
    const { watermarks, confirmation } = live.current;
    const [p50, p99] = await Promise.all([metrics.quantile("sign", 0.5), metrics.quantile("sign", 0.99)]);
    const stored = this.#stored();
    const full = fullKeys(this.#parts);
    return {
      started: this.#started,
      ...this.#readiness.look(),
      readySince: this.#readiness.since.toISOString(),
      release: this.#release(),
      settings: {
        source: live.source,
        version: live.version,
        since: live.since.toISOString(),
        refused: live.refusal ?? null,
      },
      balancer: this.#parts.balancer.look(),
      otherMachines: this.#parts.others.look(),
      tls: certificate ? { until: certificate.expiresAt.toISOString(), problem: certificate.problem ?? null } : null,
      store: {
        kind: watermarks.kind,
        id: store.id ?? null,
        problem: preparation.reason ?? stored.problem ?? null,
        readAt: timeOf(stored.readAt),
      },
      vault: {
        problem: keyring.problem?.() ?? keyring.outage?.() ?? null,
        tokenSeconds: seconds(keyring.tokenLife?.()),
        signMilliseconds: { p50: p50 ?? null, p99: p99 ?? null },
      },
      keys: [...keyring.keys.values()].map((key) => ({
        address: key.publicKey.address,
        publicKey: key.publicKey.base58,
        location: key.location,
        watermarkStore: key.boundStoreId ?? "not recorded with the key",
        problem:
          keyProblem(key, store.id) ?? (full.has(key.publicKey.address) ? fullReason(key.publicKey.address) : null),
        policy: policyOf(live.current.policy, key.publicKey.address),
      })),
      watermarks: this.#watermarks(stored),
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

  /** What the store holds; nothing, and no call, before it is known to be the right one. */
  #stored(): StoredMarks {
    if (this.#parts.store.id !== undefined) return this.#parts.view.look();
    return { rows: [], readAt: undefined, problem: undefined };
  }

  /**
   * Every row of the keys that are served: its mark, since when that is believed, and when this process last signed by it;
   * operations have no mark. What this process remembers counts where the store's answer is older.
   */
  #watermarks({ rows }: StoredMarks) {
    const { keyring, activity } = this.#parts;
    const { lastSigned } = activity;
    const marks = rememberedRows(this.#parts);
    const stored = new Map(
      rows.filter(({ key }) => keyring.keys.has(key.address)).map(({ key, row }) => [rowName(key), row]),
    );
    return [...new Set([...stored.keys(), ...marks.keys(), ...lastSigned.keys()])].sort().map((name) => {
      const [row, remembered] = [stored.get(name), marks.get(name)];
      const signedAt = lastSigned.get(name) ?? null;
      const isOlder = row === undefined || (remembered !== undefined && compare(row, remembered) < 0);
      const mark = isOlder ? remembered : row;
      const since = isOlder ? signedAt : timeOf(row.anchor.at);
      return { row: name, level: mark?.level ?? null, round: mark?.round ?? null, since, signedAt };
    });
  }
}
