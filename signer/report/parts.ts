import type { Confirmations } from "../confirmation/confirmations.ts";
import type { ConfirmationSocket } from "../confirmation/socket.ts";
import type { OwnRelease } from "../installation/own-release.ts";
import type { UpdaterState } from "../installation/updater-state.ts";
import type { Keyring } from "../keys/keyring.ts";
import type { BalancerState } from "../observability/balancer-state.ts";
import type { Metrics } from "../observability/metrics.ts";
import type { RecentActivity } from "../observability/recent-activity.ts";
import type { OtherMachine } from "../pair/other-machines.ts";
import type { HeadFollower } from "../policy/head-follower.ts";
import { policyOf } from "../policy/policy.ts";
import type { LiveSettings } from "../settings/live-settings.ts";
import type { Preparation } from "../watermark/preparation.ts";
import type { StoreView } from "../watermark/store-view.ts";
import type { WatchedStore } from "../watermark/stores/watched.ts";
import type { TrustedStore } from "../watermark/trusted-store.ts";

/** The parts of a running signer that its report looks at. */
export interface ReportParts {
  readonly release: OwnRelease;
  /** The balancer in front of the machine; null where none asks. */
  readonly balancer: { look(): BalancerState | null; readonly sends: boolean };
  /** The other machines behind it; null where none asks. */
  readonly others: { look(): readonly OtherMachine[] | null };
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

/** Finds the keys that sign where they have marks, and get none on another chain, since their policy names no chain. */
export function fullKeys({ keyring, live, store }: ReportParts): ReadonlySet<string> {
  const isFull = (address: string) =>
    policyOf(live.current.policy, address).chains === undefined && store.isFull(address);
  return new Set([...keyring.keys.keys()].filter(isFull));
}

/** Says why such a key signs on no other chain, and what to do. */
export function fullReason(address: string): string {
  const cure = "Name the chains that it is for in its policy's `chains`.";
  return `${address} has marks on so many chains that it signs on no other one. ${cure}`;
}

/** Finds what this process has seen of the rows of the keys that are served, by row name. */
export function rememberedRows({ keyring, store }: ReportParts) {
  return new Map([...store.marks].filter(([, { key }]) => keyring.keys.has(key.address)));
}
