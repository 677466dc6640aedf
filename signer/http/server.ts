import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { ServerOptions } from "node:https";
import { type AddressInfo, isIPv6, Socket, SocketAddress } from "node:net";
import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import { plainAddress } from "../admission/address-allow-list.ts";
import { SignerError, StartError } from "../errors.ts";
import { http, https } from "../network/node-http.ts";
import { SummedLog } from "../observability/summed-log.ts";
import type { AuditLog } from "../signing/audit-log.ts";
import { closeQuiet, drain, openOf } from "./drain.ts";
import { rawError, writeError } from "./error-response.ts";
import { InFlight } from "./in-flight.ts";
import { LIMITS, type Limits } from "./limits.ts";
import { type CertificatePair, unusablePair } from "./tls-certificate.ts";

/** What one listening port is made of. */
export interface ServerParts {
  /** An app's callback(); its promise ends when the request is dealt with, even if the client is gone. */
  readonly handler: (request: IncomingMessage, response: ServerResponse) => Promise<unknown>;
  readonly host: string;
  /** 0 takes a free one, or the inherited socket's. */
  readonly port: number;
  /** Descriptor of a listening socket of this address and port, opened by systemd; absent: the port is opened here. */
  readonly fd?: number | undefined;
  /** Certificate chain and private key in PEM; absent: plain HTTP. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer } | undefined;
  /** Whether a peer is welcome; of the others only a few may be connected at once. Absent: everyone is. */
  readonly admits?: ((remoteAddress: string | undefined) => boolean) | undefined;
  /** Whether each answer is to be the last one on its connection now. Absent: none is. */
  readonly closes?: (() => boolean) | undefined;
  readonly limits?: Limits;
  readonly log: Logger;
  /** Records what is refused before it reaches the handler. */
  readonly audit?: Pick<AuditLog, "record">;
}

export interface RunningServer {
  readonly address: AddressInfo;
  /**
   * Accepts no new connection: on a socket of systemd's they wait for the next process. Requests in flight are finished,
   * and one that still comes on a kept connection is served; each answer closes its connection. What asks nothing for
   * quietTimeout is closed, and after drainTimeout everything. Never rejects; may be called twice.
   */
  stop(): Promise<void>;
  /** Closes connections on which nothing comes for quietTimeout, and no answer is to come. */
  closeQuiet(): Promise<void>;
  /** Shows another certificate to connections that come from now on; those that are open keep theirs. */
  renew(pair: CertificatePair): void;
}

/**
 * Opens a port, or takes one that is open already.
 * @throws StartError that says why the address cannot be listened on, or that the certificate cannot be used
 */
export async function listen(parts: ServerParts): Promise<RunningServer> {
  const { handler, host, port, fd, log, audit, limits = LIMITS } = parts;
  const server = create(parts, limits);
  const inFlight = new InFlight();
  // Ours, since Node's own list of connections leaves out those still in their TLS handshake.
  const sockets = openOf(server, "connection");
  const connections = parts.tls === undefined ? sockets : openOf(server, "secureConnection");
  let stopping: Promise<void> | undefined;

  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    if (stopping !== undefined || parts.closes?.()) response.shouldKeepAlive = false;
    inFlight.add(response, handler(request, response));
  });
  server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) => {
    const refusal = new SignerError("malformed-request", "of Expect only 100-continue is known");
    audit?.record({ client: plainAddress(request.socket.remoteAddress) }, refusal);
    refuse(request, response, refusal);
  });
  handleClientErrors(server, inFlight, limits, audit);
  limitUnlisted(server, parts.admits, limits);
  const dropped = logDropped(server, log);

  await new Promise<void>((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => reject(cannotListen(parts, error));
    server.once("error", failed);
    server.listen(fd === undefined ? { port, host } : { fd }, () => {
      server.off("error", failed);
      server.on("error", (error) => log.error({ error: error.message }, "listening port"));
      resolve();
    });
  });
  if (fd !== undefined) requireAddress(server, parts);

  return {
    address: server.address() as AddressInfo,
    stop() {
      stopping ??= drain({ server, inFlight, sockets, connections, limits, log }).finally(() => dropped.flush());
      return stopping;
    },
    closeQuiet: () => closeQuiet({ inFlight, connections, limits }),
    renew(pair) {
      if (server instanceof https.Server) server.setSecureContext(pair);
    },
  };
}

function create({ tls }: ServerParts, limits: Limits): Server {
  const options = {
    headersTimeout: limits.headersTimeout,
    requestTimeout: limits.requestTimeout,
    keepAliveTimeout: limits.keepAliveTimeout,
    connectionsCheckingInterval: limits.checkInterval,
    maxHeaderSize: limits.maxHeaderSize,
    requireHostHeader: false, // where it counts, the app refuses in our form
  };
  const server =
    tls === undefined
      ? http.createServer(options)
      : createOverTls({ ...options, ...tls, handshakeTimeout: limits.handshakeTimeout });
  server.maxConnections = limits.maxConnections;
  server.maxHeadersCount = limits.maxHeadersCount;
  return server;
}

function createOverTls(options: ServerOptions): Server {
  try {
    return https.createServer(options);
  } catch (error) {
    throw new StartError("unusable", unusablePair(error), { cause: error });
  }
}

/** Reads the request to its end first: a connection closed on unread bytes is reset, and the answer with it. */
function refuse(request: IncomingMessage, response: ServerResponse, error: SignerError): void {
  request.resume();
  request.once("end", () => writeError(response, error));
}

/** Answers what Node could not read as a request, unless that would look like the answer to an earlier one. */
function handleClientErrors(server: Server, inFlight: InFlight, limits: Limits, audit: ServerParts["audit"]): void {
  const latest = new WeakMap<Duplex, ServerResponse>();
  const note = ({ socket }: IncomingMessage, response: ServerResponse) => void latest.set(socket, response);
  server.on("request", note);
  server.on("checkExpectation", note);
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
    const response = latest.get(socket);
    const isInBody = response?.req.complete === false;
    const refusal = refusalFor(error.code, limits, isInBody);
    // A request of which the rest does not come is recorded by whoever has it: its reader finds the refusal on the socket.
    // Nobody has it any more, and nothing was refused yet, where it was answered without a look at its body.
    const isHandled = isInBody && !(response?.writableEnded === true && response.statusCode < 400);
    if (refusal !== undefined && !isHandled) audit?.record({ client: clientOf(socket) }, refusal);
    if (refusal === undefined || !socket.writable || inFlight.awaitedOn(socket)) socket.destroy(refusal);
    else socket.end(rawError(refusal), () => socket.destroy(refusal));
  });
}

function clientOf(socket: Duplex): string {
  return plainAddress(socket instanceof Socket ? socket.remoteAddress : undefined);
}

function refusalFor(code: string | undefined, limits: Limits, isInBody: boolean): SignerError | undefined {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    const { headersTimeout, requestTimeout } = limits;
    return new SignerError("request-timeout", `headers within ${headersTimeout} ms, all within ${requestTimeout} ms`);
  }
  if (code === "HPE_HEADER_OVERFLOW") {
    return new SignerError("headers-too-large", `they have at most ${limits.maxHeaderSize} bytes`);
  }
  if (code === "HPE_INVALID_EOF_STATE") {
    return new SignerError("malformed-request", `the connection ended before the ${isInBody ? "body" : "headers"} did`);
  }
  // Anything else that is not the parser's is a broken connection or a failed handshake.
  return code?.startsWith("HPE_") ? new SignerError("malformed-request", "it is not HTTP/1.1") : undefined;
}

/** Bounds the connections from addresses that are not allowed: they get their 403, and leave room for the others. */
function limitUnlisted(server: Server, admits: ServerParts["admits"], limits: Limits): void {
  let unlisted = 0;
  const welcome = (socket: Socket): boolean => {
    try {
      return admits === undefined || admits(socket.remoteAddress);
    } catch {
      return false; // the app asks again for each request, and answers and logs the same exception
    }
  };
  server.on("connection", (socket: Socket) => {
    if (welcome(socket)) return;
    if (unlisted >= limits.maxUnlistedConnections) {
      socket.destroy();
      return;
    }
    unlisted += 1;
    socket.once("close", () => {
      unlisted -= 1;
    });
  });
}

/** Of all clients together: whoever opens so many connections may have many addresses. */
function logDropped(server: Server, log: Logger): SummedLog {
  const write = log.warn.bind(log);
  const dropped = new SummedLog(write);
  server.on("drop", (peer) => {
    const fields = { client: plainAddress(peer?.remoteAddress) };
    dropped.note("", [], "dropped", { write, fields, message: "connection refused: too many are open" });
  });
  return dropped;
}

const REASONS: Readonly<Record<string, readonly [problem: StartError["problem"], reason: string]>> = {
  EADDRINUSE: [
    "in-use",
    "the port is in use. Stop the other program, or set another port (listen.port, admin.port, metrics.port).",
  ],
  EADDRNOTAVAIL: [
    "unusable",
    "this computer has no such address. Set one that it has (listen.host, admin.host, metrics.host).",
  ],
  EACCES: ["refused", "this user may not use the port. Set one above 1023 (listen.port, admin.port, metrics.port)."],
};

function cannotListen({ host, port, fd }: ServerParts, error: NodeJS.ErrnoException): StartError {
  const [problem, reason] = REASONS[error.code ?? ""] ?? ["unusable", `${error.message}.`];
  const inherited = fd === undefined ? "" : `, on the socket that systemd passed as descriptor ${fd}`;
  return new StartError(problem, `Cannot listen on ${host}, port ${port}${inherited}: ${reason}`, { cause: error });
}

/** @throws StartError where an inherited socket is not the one that the settings describe */
function requireAddress(server: Server, { host, port, fd }: ServerParts): void {
  const { address, port: actual } = server.address() as AddressInfo;
  const wanted = SocketAddress.parse(isIPv6(host) ? `[${host}]:0` : `${host}:0`)?.address;
  if (address === wanted && (port === 0 || port === actual)) return;
  server.close();
  throw new StartError(
    "unusable",
    `The socket that systemd passed as descriptor ${fd} is on ${address}, port ${actual}, and the settings say ${host}, ` +
      `port ${port}: make ListenStream= of the socket unit and the settings the same.`,
  );
}
