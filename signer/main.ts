import { readFile } from "node:fs/promises";
import type { Logger } from "pino";
import { azureCredential } from "./azure/credential.ts";
import { Confirmations } from "./confirmation/confirmations.ts";
import { ConfirmationSocket } from "./confirmation/socket.ts";
import { createAdminApp } from "./http/admin.ts";
import { addressFilter, createApp } from "./http/app.ts";
import { takeInheritedSockets } from "./http/inherited-sockets.ts";
import { listen, type RunningServer } from "./http/server.ts";
import { ownRelease } from "./installation/own-release.ts";
import { readUpdaterState } from "./installation/updater-state.ts";
import type { Keyring } from "./keys/keyring.ts";
import { Metrics } from "./observability/metrics.ts";
import { History } from "./observability/recent-activity.ts";
import { Report } from "./observability/status.ts";
import { HeadFollower } from "./policy/head-follower.ts";
import { policyOf } from "./policy/policy.ts";
import type { LiveSettings } from "./settings/live-settings.ts";
import type { Settings } from "./settings/schema.ts";
import { watermarkRows } from "./signing/required-rows.ts";
import { Pipeline } from "./signing/signing-service.ts";
import { Guard } from "./watermark/guard.ts";
import { Preparation } from "./watermark/preparation.ts";
import type { WatermarkStore } from "./watermark/stores/store.ts";
import { UnwrittenStore } from "./watermark/stores/unwritten.ts";
import { TrustedStore } from "./watermark/trusted-store.ts";

/** A signer that listens. */
export interface Signer {
  /** Where octez finds it, without a trailing slash. */
  readonly url: string;
  readonly adminUrl: string;
  readonly keyring: Keyring;
  /** Asks the store anew, then says whether signatures can be had, and if not, why. */
  examine(): Promise<{ readonly ready: boolean; readonly reasons: readonly string[] }>;
  /** Takes no new connection, lets what was asked finish, then closes everything. */
  stop(): Promise<void>;
}

/**
 * Why a signer is started. `trial`: to see whether it would be ready, beside another one that serves: on ports of its own
 * that admit nobody, without a socket for operators, and without a write to the watermark store.
 */
export type Purpose = "serve" | "trial";

/** How long one signature may take, in milliseconds: a round of a block lasts a few seconds, and octez then asks again. */
const REQUEST_DEADLINE = 4_000;

/**
 * Settings to parts to an open port. What cannot be had yet (a vault, a table) is waited for in the background.
 * @throws Error in a sentence, for what waiting would not mend: a port in use, a file that cannot be read
 */
export async function startSigner(live: LiveSettings, logger: Logger, purpose: Purpose = "serve"): Promise<Signer> {
  await using parts = new AsyncDisposableStack();
  const isTrial = purpose === "trial";
  const settings = live.current;
  const sockets = isTrial ? undefined : takeInheritedSockets();
  const release = ownRelease();
  const metrics = new Metrics();
  const history = new History();

  // At once, since each waits for the network.
  const [keyring, opened] = await Promise.all([openKeyring(live, logger), openStore(settings)]);
  parts.defer(() => keyring.close());
  const backend = isTrial ? new UnwrittenStore(opened) : opened;
  parts.defer(() => backend.close());

  const { initialise, maxStep, storeId } = settings.watermarks;
  const store = new TrustedStore({ store: backend, storeId, initialise, clock: Date.now });
  const guard = new Guard({ store, maxStep, deadline: REQUEST_DEADLINE, clock: Date.now });
  const preparation = new Preparation({
    store,
    rows: () => watermarkRows(keyring.keys.keys(), live.current.policy),
    onChange: (reason) => {
      if (reason === undefined) logger.info("the watermark store is ready");
      else logger.error(reason);
    },
  });
  parts.defer(() => preparation.stop());
  await preparation.start();

  const follower = new HeadFollower({
    rule: () => live.current.head,
    onChange: (problem) => {
      if (problem === undefined) logger.info("the chain's head is known");
      else logger.warn(problem);
    },
  });
  parts.defer(() => follower.stop());
  follower.start();

  const confirmations = new Confirmations({ logger });
  const operators = new ConfirmationSocket(confirmations, logger);
  parts.defer(() => operators.close());
  if (settings.confirmation !== undefined && !isTrial) await operators.open(settings.confirmation.socket);

  const pipeline = new Pipeline({
    keyring,
    guard,
    storeId: () => store.id,
    policy: () => live.current.policy,
    head: () => {
      const rule = live.current.head;
      return rule && { rule, head: follower.head };
    },
    confirmations,
    logger,
    metrics,
    history,
    deadline: REQUEST_DEADLINE,
  });
  const report = new Report({
    release,
    updater: readUpdaterState,
    live,
    keyring,
    store,
    preparation,
    metrics,
    history,
    follower,
    confirmations,
    operators,
  });
  const ownPort = isTrial ? { host: "127.0.0.1", port: 0 } : {};
  const admin = await listen({
    ...settings.admin,
    ...ownPort,
    fd: sockets?.admin,
    handler: createAdminApp(report, logger).callback(),
    log: logger,
  });
  parts.defer(() => admin.stop());

  const access = () => (isTrial ? NOBODY : accessOf(live.current));
  const refused = metrics.refused.bind(metrics);
  const server = await listen({
    ...settings.listen,
    ...ownPort,
    fd: sockets?.signer,
    tls: await readTls(settings.listen.tls),
    handler: createApp({ signer: pipeline, access, log: logger, refused }).callback(),
    admits: addressFilter(access),
    log: logger,
    refused,
  });
  // Beside the other port: what is kept open there must not hold up the next start.
  parts.defer(async () => void (await Promise.all([server.stop(), admin.stop()])));
  parts.defer(() => confirmations.stop());

  const url = urlOf(server, settings.listen.tls === undefined ? "http" : "https");
  const adminUrl = urlOf(admin, "http");
  const { version, sha256 = null } = release;
  logger.info({ url, admin: adminUrl, keys: pipeline.addresses(), version, release: sha256 }, "listening");
  const running = parts.move();
  const examine = async () => {
    await preparation.check();
    return report.ready();
  };
  return { url, adminUrl, keyring, examine, stop: () => running.disposeAsync() };
}

// Each backend is loaded where it is wanted: Azure's SDK takes a third of a second that local keys need not wait for.

async function openKeyring(live: LiveSettings, logger: Logger): Promise<Keyring> {
  const { keys } = live.current;
  if (keys.kind === "azure-key-vault") {
    const { openAzureKeyVaultKeyring } = await import("./keys/azure-key-vault/keyring.ts");
    const include = () => (live.current.keys.kind === "azure-key-vault" ? live.current.keys.include : keys.include);
    return openAzureKeyVaultKeyring({ ...keys, include, logger });
  }
  const { LOCAL_KEYS_WARNING, localPassphrase, openLocalKeyring } = await import("./keys/local/keyring.ts");
  logger.warn({ path: keys.path }, LOCAL_KEYS_WARNING);
  return openLocalKeyring({ path: keys.path, passphrase: await localPassphrase(keys.path) });
}

/**
 * The watermark store that settings name, not yet asked anything. The table is asked in the same name as the vault; beside
 * local keys, in the operator's own.
 */
export async function openStore({ keys, watermarks }: Settings): Promise<WatermarkStore> {
  if (watermarks.kind === "sqlite") {
    const { SqliteStore } = await import("./watermark/stores/sqlite.ts");
    return new SqliteStore(watermarks.path);
  }
  const { endpoint, table } = watermarks;
  const { AzureTableStore } = await import("./watermark/stores/azure-table.ts");
  const credential = await azureCredential(keys.kind === "azure-key-vault" ? keys : { credential: "default" });
  return new AzureTableStore({ endpoint, table, credential });
}

/** The list of addresses that may ask is empty. */
const NOBODY = { allowedAddresses: [], listKnownKeys: false };

function accessOf({ allowedAddresses, authentication, listKnownKeys, policy }: Settings) {
  const needsAuthentication = (address: string) => policyOf(policy, address).authentication ?? true;
  return { allowedAddresses, authorizedKeys: authentication?.keys, needsAuthentication, listKnownKeys };
}

async function readTls(tls: Settings["listen"]["tls"]) {
  if (tls === undefined) return undefined;
  const [cert, key] = await Promise.all([readFile(tls.cert), readFile(tls.key)]);
  return { cert, key };
}

function urlOf({ address: { address, family, port } }: RunningServer, scheme: string): string {
  return `${scheme}://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}
