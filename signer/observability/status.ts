import type { Confirmations } from "../confirmation/confirmations.ts";
import type { ConfirmationSocket } from "../confirmation/socket.ts";
import { SignerError } from "../errors.ts";
import { type OwnRelease, shortHash } from "../installation/own-release.ts";
import type { UpdaterState } from "../installation/updater-state.ts";
import { keyProblem } from "../keys/key-problem.ts";
import type { Keyring } from "../keys/keyring.ts";
import { decideByHead } from "../policy/head.ts";
import type { HeadFollower } from "../policy/head-follower.ts";
import { policyOf } from "../policy/policy.ts";
import type { LiveSettings } from "../settings/live-settings.ts";
import { compare } from "../watermark/decision.ts";
import type { Preparation } from "../watermark/preparation.ts";
import type { StoredMarks, StoreView } from "../watermark/store-view.ts";
import { rowName } from "../watermark/stores/store.ts";
import type { WatchedStore } from "../watermark/stores/watched.ts";
import type { TrustedStore } from "../watermark/trusted-store.ts";
import type { Metrics } from "./metrics.ts";
import { unseenReason } from "./pulse.ts";
import type { RecentActivity } from "./recent-activity.ts";

export interface StatusReportParts {
  readonly release: OwnRelease;
  /** What the machine's updater does now. */
  readonly updater: () => UpdaterState;
  readonly live: LiveSettings;
  readonly keyring: Keyring;
  readonly store: TrustedStore;
  readonly view: StoreView;
  /** The store's calls, as they went. */
  readonly backend: Pick<WatchedStore, "answeredAt" | "faults" | "outage">;
  readonly preparation: Preparation;
  readonly metrics: Metrics;
  readonly activity: RecentActivity;
  readonly follower: HeadFollower;
  readonly confirmations: Confirmations;
  readonly operators: ConfirmationSocket;
  /** Of the signing port; absent where it speaks plain HTTP. */
  readonly certificate?: { readonly expiresAt: Date; readonly problem: string | undefined } | undefined;
}

/** Seconds in whole numbers, or null. */
function seconds(milliseconds: number | undefined): number | null {
  return milliseconds === undefined ? null : Math.round(milliseconds / 1_000);
}

function fullReason(address: string): string {
  const cure = "Name the chains that it is for in its policy's `chains`.";
  return `${address} has marks on so many chains that it signs on no other one. ${cure}`;
}

/** A time in ISO 8601, or null. */
function timeOf(milliseconds: number | undefined): string | null {
  return milliseconds === undefined ? null : new Date(milliseconds).toISOString();
}

/** Reports what the admin port shows of a running signer. */
export class StatusReport {
  readonly #parts: StatusReportParts;
  readonly #started = new Date().toISOString();

  constructor(parts: StatusReportParts) {
    this.#parts = parts;
  }

  /** Says whether a signature can be had now; if not, why. What is to be mended before that is so is a reason too. */
  ready(): { ready: boolean; reasons: string[] } {
    const { keyring, preparation, store } = this.#parts;
    // Nobody may have asked since somebody touched what the store stands on.
    store.probe();
    // In the words of a request that was refused for it, as the preparation tells it too.
    const stops = [...store.stops.values()].map((stop) => new SignerError("watermark-untrusted", stop).message);
    const reasons = new Set(stops);
    if (preparation.reason !== undefined) reasons.add(preparation.reason);
    const missing = keyring.problem?.() ?? (keyring.keys.size === 0 ? "There is no key that can sign." : undefined);
    if (missing !== undefined) reasons.add(missing);
    for (const key of keyring.keys.values()) {
      const problem = keyProblem(key, store.id);
      if (problem !== undefined) reasons.add(problem);
    }
    for (const reason of this.#refusedNext()) reasons.add(reason);
    for (const reason of this.#unanswered()) reasons.add(reason);
    const ready = reasons.size === 0;
    const warning = this.#parts.certificate?.problem;
    if (warning !== undefined) reasons.add(warning);
    const { refusal } = this.#parts.live;
    if (refusal !== undefined) reasons.add(`The newest settings are not in use, those before are: ${refusal}`);
    for (const address of this.#full()) reasons.add(fullReason(address));
    return { ready, reasons: [...reasons] };
  }

  /** What did not answer when it was last asked, or was not seen for longer than the looks at it are apart. */
  *#unanswered(): Iterable<string> {
    const { backend, keyring } = this.#parts;
    if (backend.outage !== undefined) yield new SignerError("watermark-unavailable", backend.outage).message;
    const outage = keyring.outage?.();
    if (outage !== undefined) yield outage;
    const unseen = [
      unseenReason("The watermark store", backend.answeredAt),
      outage === undefined ? unseenReason("What holds the keys", keyring.answeredAt?.()) : undefined,
    ];
    for (const reason of unseen) if (reason !== undefined) yield reason;
  }

  /** Why a key's next real request would be refused, as far as the followed head and the last requests tell. */
  *#refusedNext(): Iterable<string> {
    const { activity, follower, live } = this.#parts;
    yield* activity.implausibleLevels;
    const { head: rule } = live.current;
    if (rule === undefined) return;
    for (const [row, { key, level }] of this.#remembered()) {
      const head = follower.of(rule.node);
      if (decideByHead(rule, head, { chainId: key.chainId, level }, Date.now()).verdict !== "ahead") continue;
      yield `The ${row} is at level ${level}, and the head of its chain at ${head?.level}: nothing is signed for it until ` +
        'the chain is there (docs/recover.md, "A wrong push").';
    }
  }

  /** Collects /status. */
  async status() {
    const { certificate, keyring, live, store, metrics, preparation } = this.#parts;
    const { watermarks, confirmation } = live.current;
    const [p50, p99] = await Promise.all([metrics.quantile("sign", 0.5), metrics.quantile("sign", 0.99)]);
    const stored = this.#stored();
    const full = this.#full();
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

  /** The keys that sign where they have marks, and get none on another chain, since their policy names no chain. */
  #full(): ReadonlySet<string> {
    const { keyring, live, store } = this.#parts;
    const isFull = (address: string) =>
      policyOf(live.current.policy, address).chains === undefined && store.isFull(address);
    return new Set([...keyring.keys.keys()].filter(isFull));
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

  /** What this process has seen of the rows of the keys that are served, by row name. */
  #remembered() {
    const { keyring, store } = this.#parts;
    return new Map([...store.marks].filter(([, { key }]) => keyring.keys.has(key.address)));
  }

  /**
   * Every row of the keys that are served: its mark, since when that is believed, and when this process last signed by it;
   * operations have no mark. What this process remembers counts where the store's answer is older.
   */
  #watermarks({ rows }: StoredMarks) {
    const { keyring, activity } = this.#parts;
    const { lastSigned } = activity;
    const marks = this.#remembered();
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

  /** Renders /metrics. */
  metrics(): Promise<string> {
    const { certificate, keyring, metrics, release, store, updater } = this.#parts;
    const refused = [...keyring.keys.values()].filter((key) => keyProblem(key, store.id) !== undefined).length;
    const { version, sha256 } = release;
    metrics.buildInfo.set({ version, release: sha256 === undefined ? "checkout" : shortHash(sha256) }, 1);
    metrics.releaseRefused.set(updater().refused === null ? 0 : 1);
    metrics.ready.set(this.ready().ready ? 1 : 0);
    metrics.keys.set(keyring.keys.size - refused);
    metrics.keysRefused.set(refused);
    metrics.keysFull.set(this.#full().size);
    metrics.headUnknown.set(this.#parts.follower.problem() === undefined ? 0 : 1);
    metrics.waiting.set(this.#parts.confirmations.waiting.length);
    metrics.settingsRefused.set(this.#parts.live.refusal === undefined ? 0 : 1);
    if (certificate !== undefined) metrics.certificateExpiry.set({}, certificate.expiresAt.getTime() / 1_000);
    this.#setOfBackends();
    return metrics.text();
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
