import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import type { Logger } from "pino";
import { addressFilter, admittingNobody } from "./admission/allowed-addresses.ts";
import { openKeyring, openMachineNotes, openStandIn, openStoreForTrial, openWatermarkStore } from "./backends.ts";
import { Confirmations } from "./confirmation/confirmations.ts";
import { ConfirmationSocket } from "./confirmation/socket.ts";
import { Balancer } from "./http/balancer.ts";
import { takeInheritedSockets } from "./http/inherited-sockets.ts";
import type { RunningServer } from "./http/server.ts";
import { TlsCertificate } from "./http/tls-certificate.ts";
import { ownRelease } from "./installation/own-release.ts";
import { readUpdaterState } from "./installation/updater-state.ts";
import type { Keyring } from "./keys/keyring.ts";
import { isLoopback } from "./network/url.ts";
import { Pulse } from "./observability/pulse.ts";
import { RecentActivity } from "./observability/recent-activity.ts";
import { openObservers } from "./observers.ts";
import { Departure } from "./pair/departure.ts";
import { OtherMachines } from "./pair/other-machines.ts";
import { HeadFollower } from "./policy/head-follower.ts";
import { loadPorts } from "./ports.ts";
import { reportOf } from "./report/report.ts";
import { type LiveSettings, USER_DATA } from "./settings/live-settings.ts";
import type { Settings } from "./settings/schema.ts";
import { BUDGETS, budgetsFromNow } from "./signing/budgets.ts";
import { requiredRows } from "./signing/required-rows.ts";
import { SigningService } from "./signing/signing-service.ts";
import { Guard } from "./watermark/guard.ts";
import { Preparation } from "./watermark/preparation.ts";
import { steadyClock } from "./watermark/steady-clock.ts";
import { StoreView } from "./watermark/store-view.ts";
import { WatchedStore } from "./watermark/stores/watched.ts";
import { TrustedStore } from "./watermark/trusted-store.ts";

/** A signer that listens. */
export interface RunningSigner {
  /** Where octez finds it, without a trailing slash. */
  readonly url: string;
  readonly adminUrl: string;
  /** Where the metrics port listens; undefined where the settings have none, and while it is not open. */
  metricsAddress(): AddressInfo | undefined;
  readonly keyring: Keyring;
  /** Asks the store anew, then says whether signatures can be had, and if not, why. */
  examine(): Promise<{ readonly ready: boolean; readonly reasons: readonly string[] }>;
  /** Says the same as far as it is known now, and asks nothing. */
  readiness(): { readonly ready: boolean; readonly reasons: readonly string[] };
  /** Looks whether the files of its TLS certificate are others, and takes them up; it does so by itself once a minute. */
  renewCertificate(): Promise<void>;
  /** How the machine leaves the balancer in front of it. */
  readonly departure: Departure;
  /** Takes no new connection, lets what was asked finish, then closes everything. */
  stop(): Promise<void>;
}

/**
 * Why a signer is started. `trial`: to see whether it would be ready, beside another one that serves: on ports of its own
 * that admit nobody, without a socket for operators, and without a write to the watermark store.
 */
export type Purpose = "serve" | "trial";

/**
 * Builds a signer from its settings and opens its ports. What cannot be had yet (a vault, a table) is waited for in the background.
 * @throws StartError, KeyError or StoreError for what waiting would not mend: a port in use, a file that cannot be read
 */
export async function startSigner(
  live: LiveSettings,
  logger: Logger,
  purpose: Purpose = "serve",
): Promise<RunningSigner> {
  await using parts = new AsyncDisposableStack();
  const isTrial = purpose === "trial";
  const settings = live.current;
  const sockets = isTrial ? undefined : takeInheritedSockets();
  const release = ownRelease();
  const { tls } = settings.listen;
  const certificate = tls && (await TlsCertificate.open(tls, logger));

  // The network is asked first: its answers come while the rest is loaded.
  let keyring: Keyring | undefined;
  const opening = openKeyring(live, logger);
  opening.catch(() => undefined); // thrown below
  parts.defer(async () => {
    // A vault that does not answer must not hold up the end of a start that failed by something else.
    if (keyring === undefined) void opening.then((opened) => opened.close()).catch(() => undefined);
    else await keyring.close();
  });
  const openStore = isTrial ? openStoreForTrial : openWatermarkStore;
  const backend = new WatchedStore(await openStore(settings, (message) => logger.warn(message)));
  parts.defer(() => backend.close());

  const { initialise, maxStep, minimalBlockDelay, storeId } = settings.watermarks;
  const clock = steadyClock();
  const store = new TrustedStore({ store: backend, storeId, initialise, clock });
  const guard = new Guard({ store, maxStep, minimalBlockDelay, budgets: budgetsFromNow(), clock });
  const view = new StoreView(backend);
  const preparation = new Preparation({
    store,
    rows: () => requiredRows(keyring?.keys.keys() ?? [], live.current.policy),
    onChange: (reason) => {
      if (reason !== undefined) return logger.error(reason);
      logger.info({ store: store.id }, "the watermark store is ready");
      view.look(); // for the first one who asks for /status
    },
  });
  parts.defer(() => preparation.stop());
  const preparing = preparation.start();
  preparing.catch(() => undefined); // thrown below
  const { createAdminApp, createApp, listen, AuditLog, Metrics, Rehearsal } = await loadPorts();
  const rehearsal = isTrial ? undefined : new Rehearsal({ logger, backend: await openStandIn(settings, logger) });
  parts.defer(() => rehearsal?.stop());
  await rehearsal?.during(Promise.all([preparing, opening]));
  await preparing;
  keyring = await opening;
  // The rows of its keys; a store that does not answer is asked for them in the background.
  if (preparation.reason === undefined) await preparation.check();

  const metrics = new Metrics(settings.keys.kind);
  parts.defer(() => metrics.stop());
  const activity = new RecentActivity();
  const payloads = isTrial ? undefined : await keepRefusedPayloads(settings.refusedPayloads, logger);
  parts.defer(() => payloads?.close());
  const audit = new AuditLog({ logger, metrics, activity, payloads });
  parts.defer(() => audit.flush());

  const follower = new HeadFollower({
    rule: () => live.current.head,
    onChange: (problem) => {
      if (problem === undefined) logger.info("the chain's head is known");
      else logger.warn(problem);
    },
  });
  parts.defer(() => follower.stop());
  follower.start();

  const balancer: Balancer = new Balancer(() => report.ready().ready);
  const confirmations = new Confirmations({ logger, machine: () => (balancer.asks ? hostname() : undefined) });
  const operators = new ConfirmationSocket(confirmations, logger);
  parts.defer(() => operators.close());
  if (settings.confirmation !== undefined && !isTrial) await operators.open(settings.confirmation.socket);

  const requestSettings = isTrial ? admittingNobody(live) : live;
  const signer = new SigningService({
    keyring,
    guard,
    store,
    settings: requestSettings,
    settingsHome: live.source === USER_DATA ? "stack" : "file",
    head: follower,
    confirmations,
    budget: BUDGETS.other,
  });
  const others: OtherMachines = new OtherMachines({
    open: () => openMachineNotes(settings),
    own: () => report.note(),
    isBalanced: () => balancer.asks,
    log: logger,
  });
  parts.defer(() => others.stop());
  const report = reportOf({
    ...{ release, balancer, others, updater: readUpdaterState, live, keyring, store, view, backend, preparation },
    ...{ metrics, activity, follower, confirmations, operators, certificate },
  });
  others.start();
  const pulse = new Pulse({ store: backend, keyring, looked: report.ready });
  parts.defer(() => pulse.stop());
  const ownPort = isTrial ? { host: "127.0.0.1", port: 0 } : {};
  const admin = await listen({
    ...settings.admin,
    ...ownPort,
    fd: sockets?.admin,
    handler: createAdminApp(report, logger, settings.admin.names).callback(),
    log: logger,
  });
  parts.defer(() => admin.stop());

  const app = createApp({ signer, settings: requestSettings, audit, log: logger }).callback();
  const observers = isTrial ? undefined : await openObservers(settings, report, logger);
  parts.defer(() => observers?.stop());

  const server = await listen({
    ...settings.listen,
    ...ownPort,
    fd: sockets?.signer,
    tls: certificate?.pair,
    handler: async (request, response) => void (balancer.answer(request, response) || (await app(request, response))),
    closes: () => balancer.isLeaving,
    admits: addressFilter(requestSettings),
    log: logger,
    audit,
  });
  // Beside the other port: what is kept open there must not hold up the next start.
  parts.defer(async () => void (await Promise.all([server.stop(), admin.stop(), observers?.stop()])));
  parts.defer(() => confirmations.stop());
  certificate?.follow((pair) => server.renew(pair));
  parts.defer(() => certificate?.stop());

  rehearsal?.keep(keyring, () => signer.askedAt);
  const url = urlOf(server, tls === undefined ? "http" : "https");
  const adminUrl = urlOf(admin, "http");
  const { version, sha256 = null } = release;
  if (!isTrial && settings.authentication === undefined && !isLoopback(settings.listen.host)) {
    logger.warn(
      "Nobody proves who asks: whoever reaches this port may ask in the baker's name. `authentication` names keys.",
    );
  }
  logger.info({ url, admin: adminUrl, keys: signer.addresses(), version, release: sha256 }, "listening");
  const running = parts.move();
  const examine = async () => {
    await preparation.check();
    return report.ready();
  };
  const renewCertificate = async () => {
    await Promise.all([certificate?.look(), observers?.renewCertificate()]);
  };
  const departure = new Departure({ balancer, others, closeQuiet: () => server.closeQuiet() });
  const stop = () => running.disposeAsync();
  const metricsAddress = () => observers?.metricsAddress();
  return {
    ...{ url, adminUrl, metricsAddress, keyring, examine, readiness: () => report.ready(), renewCertificate },
    ...{ departure, stop },
  };
}

/** Few settings want the bytes of what was refused. */
async function keepRefusedPayloads(settings: Settings["refusedPayloads"], logger: Logger) {
  if (settings === undefined) return undefined;
  const { RefusedPayloads } = await import("./observability/refused-payloads.ts");
  return new RefusedPayloads(settings, logger);
}

function urlOf({ address: { address, family, port } }: RunningServer, scheme: string): string {
  return `${scheme}://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}
