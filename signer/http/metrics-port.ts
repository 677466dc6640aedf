import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type Koa from "koa";
import type { Middleware } from "koa";
import type { Logger } from "pino";
import { AddressAllowList, plainAddress } from "../admission/address-allow-list.ts";
import { messageOf, SignerError } from "../errors.ts";
import { type Admin, appOf, SHOWN } from "./admin.ts";
import { atMostEvery } from "./at-most-every.ts";
import { LIMITS, type Limits } from "./limits.ts";
import { requireToken } from "./port-token.ts";
import { Router } from "./router.ts";
import { listen, type RunningServer } from "./server.ts";
import { type CertificateFiles, TlsCertificate } from "./tls-certificate.ts";
import { onlyKnownHosts, refuseOtherSites } from "./web-pages.ts";

/** What the port is set to: `metrics` of the settings. */
export interface MetricsPortSettings {
  readonly host: string;
  readonly port: number;
  readonly names?: readonly string[] | undefined;
  readonly allowedAddresses?: readonly string[] | undefined;
  readonly token?: { readonly file: string } | undefined;
  readonly tls?: CertificateFiles | undefined;
}

/** What the port shows. */
export type Watched = Pick<Admin, "ready" | "metrics" | "page">;

/** Whoever watches needs a connection or two; what is more could only be in the baker's way. */
const OWN_LIMITS: Limits = { ...LIMITS, maxConnections: 16, maxUnlistedConnections: 2 };
/** Making metrics or the page takes some milliseconds, which a signature would wait for: not oftener than this, in milliseconds. */
const KEPT = 500;
/** Between two attempts to open the port, in milliseconds. */
const PAUSE = 10_000;

/**
 * The port on which a signer is watched from other computers: metrics, readiness and the page, to be read by whoever has the
 * token, over TLS where there is a certificate. It is no part of a start: where it cannot be opened (a certificate that is
 * not there yet, a port in use) the log says why, the signer signs, and it is tried again.
 */
export class MetricsPort {
  readonly #settings: MetricsPortSettings;
  readonly #log: Logger;
  readonly #app: Koa;
  readonly #allowed: AddressAllowList | undefined;
  readonly #pause: number;
  readonly #stopped = new AbortController();
  #certificate: TlsCertificate | undefined;
  #server: RunningServer | undefined;
  #running: Promise<void> = Promise.resolve();

  private constructor(settings: MetricsPortSettings, watched: Watched, log: Logger, pause: number) {
    this.#settings = settings;
    this.#log = log;
    this.#allowed = settings.allowedAddresses && new AddressAllowList(settings.allowedAddresses);
    this.#app = createMetricsApp(settings, watched, log, this.#allowed);
    this.#pause = pause;
  }

  /** Opens the port, at once where it can be, else in the background. Never rejects. */
  static async open(settings: MetricsPortSettings, watched: Watched, log: Logger, pause = PAUSE): Promise<MetricsPort> {
    const port = new MetricsPort(settings, watched, log, pause);
    const reason = await port.#attempt();
    if (reason !== undefined) port.#running = port.#untilOpen(reason);
    return port;
  }

  /** Where it listens; undefined while it does not. */
  get address(): AddressInfo | undefined {
    return this.#server?.address;
  }

  /** Looks whether the files of its certificate are others, and takes them up. */
  async renewCertificate(): Promise<void> {
    await this.#certificate?.look();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
    this.#certificate?.stop();
    await this.#server?.stop();
  }

  async #untilOpen(first: string): Promise<void> {
    const { signal } = this.#stopped;
    for (let [reason, told]: [string | undefined, string] = [first, ""]; reason !== undefined; ) {
      if (reason !== told) this.#log.warn(`The metrics port is not open: ${reason} It is tried again.`);
      told = reason;
      await sleep(this.#pause, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      reason = await this.#attempt();
    }
  }

  /** @returns why the port is not open, in a sentence; undefined where it is */
  async #attempt(): Promise<string | undefined> {
    const { host, port, tls } = this.#settings;
    try {
      const log = this.#log;
      const certificate = tls && (await TlsCertificate.open(tls, log, undefined, "metrics.tls"));
      const handler = this.#app.callback();
      const admits = (address: string | undefined) => this.#allowed?.allows(plainAddress(address)) ?? true;
      const server = await listen({ handler, host, port, tls: certificate?.pair, admits, limits: OWN_LIMITS, log });
      certificate?.follow((pair) => server.renew(pair));
      this.#certificate = certificate;
      this.#server = server;
      log.info({ port: server.address.port, tls: tls !== undefined }, "the metrics port is open");
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }
}

/** Makes the port's app. Each rule stands alone, and the token is asked for last: what a browser sends is refused by any of them. */
function createMetricsApp(
  { names = [], token }: MetricsPortSettings,
  watched: Watched,
  log: Logger,
  allowed: AddressAllowList | undefined,
): Koa {
  const metrics = atMostEvery(KEPT, () => watched.metrics());
  const page = atMostEvery(KEPT, () => watched.page());
  const router = new Router({ sensitive: true, strict: true });
  router.get("/readyz", SHOWN.readiness(watched));
  router.get("/metrics", SHOWN.metrics({ metrics }));
  router.get("/", SHOWN.page({ page }));
  return appOf(router, log, [
    ...(allowed === undefined ? [] : [onlyFrom(allowed)]),
    onlyKnownHosts(names, "metrics.names"),
    refuseOtherSites,
    ...(token === undefined ? [] : [requireToken(token.file, log)]),
  ]);
}

/** @throws SignerError `address-not-allowed` */
function onlyFrom(list: AddressAllowList): Middleware {
  return async ({ req }, next) => {
    const client = plainAddress(req.socket.remoteAddress);
    if (!list.allows(client)) {
      throw new SignerError("address-not-allowed", `${client} is not among metrics.allowedAddresses`);
    }
    await next();
  };
}
