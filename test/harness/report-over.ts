import pino from "pino";
import { Confirmations } from "../../signer/confirmation/confirmations.ts";
import { ConfirmationSocket } from "../../signer/confirmation/socket.ts";
import type { SigningKey } from "../../signer/keys/keyring.ts";
import { Metrics } from "../../signer/observability/metrics.ts";
import { RecentActivity } from "../../signer/observability/recent-activity.ts";
import type { Head } from "../../signer/policy/head.ts";
import { HeadFollower } from "../../signer/policy/head-follower.ts";
import type { ReportParts } from "../../signer/report/parts.ts";
import { reportOf } from "../../signer/report/report.ts";
import { LiveSettings } from "../../signer/settings/live-settings.ts";
import { Preparation } from "../../signer/watermark/preparation.ts";
import { StoreView } from "../../signer/watermark/store-view.ts";
import type { WatermarkStore } from "../../signer/watermark/stores/store.ts";
import { WatchedStore } from "../../signer/watermark/stores/watched.ts";
import { KEY } from "../fixtures/watermark-rows.ts";
import { GuardedSigner } from "./guarded-signer.ts";

/** Settings of a signer on a file. */
export const SETTINGS = '{ keys: { kind: local, path: keys }, watermarks: { kind: sqlite, path: "x" } }';

/** What of it a test has otherwise. */
interface Given {
  readonly settings?: string;
  readonly head?: Head;
  readonly others?: ReportParts["others"];
}

/** What main.ts wires, as far as /status asks it, over a store; the key of the fixtures is served. */
export function reportOver(
  store: WatermarkStore,
  { settings = SETTINGS, head, others = { look: () => null } }: Given = {},
) {
  const log = pino({ enabled: false });
  const live = new LiveSettings(settings, "a test");
  const signer = new GuardedSigner(store);
  const { trusted } = signer;
  const activity = new RecentActivity();
  const metrics = new Metrics();
  const confirmations = new Confirmations({ logger: log });
  const { publicKey, location } = { publicKey: { address: KEY.address, base58: "p2pk" }, location: "keys/one.pem" };
  const key = { publicKey, location } as unknown as SigningKey;
  const preparation = new Preparation({ store: trusted, rows: () => [], onChange: () => undefined });
  const report = reportOf({
    release: { version: "0.2.0", sha256: undefined },
    balancer: { look: () => null, sends: false },
    others,
    updater: () => ({ wanted: null, step: null, problem: null, refused: null, at: null }),
    live,
    keyring: { keys: new Map([[KEY.address, key]]), close: async () => undefined },
    store: trusted,
    view: new StoreView(store),
    backend: new WatchedStore(store),
    preparation,
    metrics,
    activity,
    follower: Object.assign(new HeadFollower({ rule: () => undefined, onChange: () => undefined }), {
      problem: () => undefined,
      of: () => head,
    }),
    confirmations,
    operators: new ConfirmationSocket(confirmations, log),
  });
  const marks = async () => (await report.status()).watermarks;
  return { report, signer, preparation, activity, metrics, marks };
}
