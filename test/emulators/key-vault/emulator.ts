import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { Firewall, type Permission, Policies } from "./access.ts";
import { CertificateAuthority } from "./certificates.ts";
import { Connections } from "./connections.ts";
import * as refuse from "./errors.ts";
import { type Fault, Faults } from "./faults.ts";
import { Gate } from "./gate.ts";
import { KeyStore, type KeyVersion } from "./key-store.ts";
import { draw, type Latency } from "./latency.ts";
import { Operations } from "./operations.ts";
import { seededRandom } from "./random.ts";
import { bodyOf, commonHeaders, foreignHost, parseBody, REGION, revocation, send, statusFault } from "./replies.ts";
import type { Operation } from "./routes.ts";
import { type Crv, fromSecret, generate, type Kty } from "./software-key.ts";
import { AZURE_LIMITS, type Limits, Throttle } from "./throttle.ts";
import { callerOf, TENANT, TokenAuthority } from "./tokens.ts";

export interface VaultOptions {
  /** HTTPS by a certificate authority made at start; default: HTTP. */
  readonly tls?: boolean;
  /** Listening address; default 127.0.0.1. */
  readonly host?: string;
  /** Default: any free port. */
  readonly port?: number;
  /** Name in the vault's URL and certificate; default 127.0.0.1, with TLS localhost. */
  readonly hostname?: string;
  /** The tenant that issues tokens; share it with the Imds of the test. */
  readonly tokens?: TokenAuthority;
  /** Access policies from the start: object id -> permissions. */
  readonly policies?: Readonly<Record<string, readonly Permission[]>>;
  readonly latency?: Latency;
  readonly limits?: Limits;
  /** Milliseconds until a deleted key shows as deleted; default 50 (about 15,000 on Azure). */
  readonly deleteDelay?: number;
  /** Decides faults by rate, latency, and which signatures have a high S; default 1. */
  readonly seed?: number;
}

export interface KeyOptions {
  readonly crv?: Crv;
  /** Default EC-HSM. */
  readonly kty?: Kty;
  readonly ops?: readonly string[];
  readonly tags?: Readonly<Record<string, string>>;
  readonly enabled?: boolean;
  /** Seconds since 1970. */
  readonly exp?: number;
  /** Seconds since 1970. */
  readonly nbf?: number;
  /** 32 bytes; default: a random key. */
  readonly secret?: Uint8Array;
}

const NEEDS_BODY: ReadonlySet<Operation> = new Set(["create", "import", "update", "sign", "verify"]);
const RECOVERABLE_DAYS = 7;

/**
 * Azure Key Vault's keys over real sockets, with the awkward parts: challenge, tokens that end, policies that take
 * time, firewall, soft delete, throttling, high S, and faults by script or by rate. Keys are in software.
 */
export class KeyVaultEmulator {
  /** `http(s)://host:port`, without a slash at the end; key ids begin with it. */
  readonly url: string;
  readonly policies = new Policies();
  readonly firewall = new Firewall();
  readonly faults: Faults;
  readonly throttle: Throttle;
  readonly connections: Connections;
  /** Requests by operation, faulty ones too; `unauthorized` counts the 401s for want of a good token. */
  readonly calls: Record<Operation | "unauthorized", number> = noCalls();
  /** Present with TLS: trust its certificate. */
  readonly authority: CertificateAuthority | undefined;
  latency: Latency;
  readonly #server: ReturnType<typeof createServer>;
  readonly #host: string;
  readonly #port: number;
  readonly #gate: Gate;
  readonly #store: KeyStore;
  readonly #operations: Operations;
  readonly #random: () => number;
  readonly #names: readonly string[];

  static async start(options: VaultOptions = {}): Promise<KeyVaultEmulator> {
    const authority = options.tls ? new CertificateAuthority() : undefined;
    const host = options.host ?? "127.0.0.1";
    const hostname = options.hostname ?? (options.tls ? "localhost" : host);
    const names = [hostname, "127.0.0.1"];
    const server = authority === undefined ? createServer() : createTlsServer(authority.issue(names));
    const connections = new Connections(server);
    const port = await connections.listen(options.port ?? 0, host);
    return new KeyVaultEmulator(options, { authority, server, connections, host, hostname, port, names });
  }

  private constructor(
    options: VaultOptions,
    at: {
      authority: CertificateAuthority | undefined;
      server: ReturnType<typeof createServer>;
      connections: Connections;
      host: string;
      hostname: string;
      port: number;
      names: readonly string[];
    },
  ) {
    const scheme = at.authority === undefined ? "http" : "https";
    this.url = new URL(`${scheme}://${at.hostname}:${at.port}`).origin;
    this.authority = at.authority;
    this.connections = at.connections;
    this.#server = at.server;
    this.#host = at.host;
    this.#port = at.port;
    this.#names = at.names;
    this.#random = seededRandom(options.seed ?? 1);
    this.faults = new Faults(this.#random);
    this.throttle = new Throttle(options.limits ?? AZURE_LIMITS);
    this.latency = options.latency ?? { median: 0, p99: 0 };
    this.#store = new KeyStore(options.deleteDelay ?? 50, RECOVERABLE_DAYS);
    const vault = `${new URL(this.url).hostname.split(".")[0]};location=${REGION}`;
    this.#operations = new Operations(this.#store, this.url, vault, this.#random);
    const tokens = options.tokens ?? new TokenAuthority();
    this.#gate = new Gate(this.url, vault, {
      tokens,
      firewall: this.firewall,
      policies: this.policies,
      throttle: this.throttle,
    });
    for (const [objectId, permissions] of Object.entries(options.policies ?? {})) {
      this.policies.grant(objectId, permissions);
    }
    this.#server.on("request", (request, response) => void this.#answer(request, response));
  }

  /** Makes a key, or the next version of one, without a request. @returns the bundle that GET would show */
  createKey(name: string, options: KeyOptions = {}) {
    const { crv = "P-256", kty = "EC-HSM", secret, ops, ...given } = options;
    const key = secret === undefined ? generate(kty, crv, 2048) : fromSecret(kty, crv, secret);
    const { tags = {}, ...rest } = given;
    return this.#operations.bundle(
      this.#store.add(name, key, { ...rest, tags: { ...tags }, ...(ops === undefined ? {} : { keyOps: [...ops] }) }),
    );
  }

  /** Changes a version without a request, now if it does not say when; @param version "" is the current one */
  updateKey(
    name: string,
    change: Partial<Pick<KeyVersion, "enabled" | "nbf" | "exp" | "tags" | "keyOps" | "updated">>,
    version = "",
  ): void {
    Object.assign(this.#store.get(name, version), { updated: Math.floor(Date.now() / 1000) }, change);
  }

  /** Has disabled keys read, as is usual, or refused with 403 KeyDisabled, as secrets are. */
  showDisabledKeys(shown: boolean): void {
    this.#operations.showsDisabledKeys = shown;
  }

  deleteKey(name: string): void {
    this.#store.remove(name);
  }

  recoverKey(name: string): void {
    this.#store.recover(name);
  }

  resetCalls(): void {
    Object.assign(this.calls, noCalls());
  }

  /** Shows another certificate from the next handshake on: one by a stranger, one of another host, or the good one. */
  presentCertificate(which: "good" | "untrusted" | "other-host"): void {
    if (this.authority === undefined) throw new Error("the vault was started without TLS");
    const stranger = which === "untrusted" ? new CertificateAuthority() : undefined;
    const names = which === "other-host" ? ["other.vault.azure.net"] : this.#names;
    (this.#server as TlsServer).setSecureContext((stranger ?? this.authority).issue(names));
    stranger?.close();
    this.connections.cutAll();
  }

  /** The vault disappears: connections are cut and new ones refused, until `comeBack`. */
  async goAway(): Promise<void> {
    await this.connections.close();
  }

  async comeBack(): Promise<void> {
    await this.connections.listen(this.#port, this.#host);
  }

  async stop(): Promise<void> {
    await this.connections.close();
    this.authority?.close();
  }

  #ktyOf(name: string): string {
    return this.#store.current().find((version) => version.name === name)?.key.kty ?? "";
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const reused = this.connections.reused(request.socket);
    for (const [name, value] of Object.entries(commonHeaders(request))) response.setHeader(name, value);
    const text = await bodyOf(request);
    if (request.headers.host !== new URL(this.url).host) return foreignHost(response);
    try {
      const admitted = this.#gate.admit(request);
      const { found, claims, query } = admitted;
      this.calls[found.operation] += 1;
      const fault = this.faults.next(found.operation, reused, found.name);
      if (fault !== undefined && (await this.#instead(fault, request, response))) return;
      this.#gate.permit(admitted, request);
      if (text === "" && NEEDS_BODY.has(found.operation)) {
        throw refuse.badParameter(`Method ${request.method} does not allow empty body`);
      }
      const body = NEEDS_BODY.has(found.operation) ? parseBody(text) : {};
      this.#gate.meter(found, found.operation === "create" ? String(body.kty) : this.#ktyOf(found.name));
      const answer = this.#operations.perform({ route: found, query, body, caller: callerOf(claims), fault });
      if (found.operation === "sign") await sleep(draw(this.latency, this.#random));
      send(response, answer, fault);
    } catch (error) {
      if (!(error instanceof refuse.VaultRefusal)) throw error;
      if (error.status === 401) this.calls.unauthorized += 1;
      for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
      send(response, { status: error.status, body: JSON.parse(error.body) }, undefined);
    }
  }

  /** Serves a fault that takes the answer's place. @returns whether it did */
  async #instead(fault: Fault, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    switch (fault.kind) {
      case "reset":
      case "reset-reused":
        this.connections.reset(request.socket);
        return true;
      case "stall-headers":
        return true;
      case "empty-body":
        response.writeHead(200, { "Content-Length": 0 }).end();
        return true;
      case "foreign-body":
        response.writeHead(200, { "Content-Type": "text/html" }).end("<html><body>Welcome to the proxy</body></html>");
        return true;
      case "status":
        throw statusFault(fault.status, fault.retryAfter);
      case "unauthorized":
        throw refuse.unauthorized("AKV10046: Unable to resolve the key used for signature validation.", TENANT);
      case "claims":
        throw refuse.unauthorized("AKV10005: The token has been revoked.", TENANT, revocation());
      case "delay":
        await sleep(fault.ms);
        return false;
      default:
        return false;
    }
  }
}

function noCalls(): Record<Operation | "unauthorized", number> {
  return {
    list: 0,
    versions: 0,
    get: 0,
    attestation: 0,
    create: 0,
    import: 0,
    update: 0,
    sign: 0,
    verify: 0,
    delete: 0,
    listDeleted: 0,
    getDeleted: 0,
    recover: 0,
    purge: 0,
    unauthorized: 0,
  };
}
