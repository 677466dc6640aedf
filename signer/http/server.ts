import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import { type ErrorCode, SignerError } from "../errors.ts";
import { plainAddress } from "./address-allow-list.ts";
import { rawError, writeError } from "./error-response.ts";
import { LIMITS, type Limits } from "./limits.ts";
import { SparseLog } from "./sparse-log.ts";

/** What one listening port is made of. */
export interface ServerParts {
  /** An app's callback(); its promise ends when the request is dealt with, even if the client is gone. */
  readonly handler: (request: IncomingMessage, response: ServerResponse) => Promise<unknown>;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Certificate chain and private key in PEM; absent: plain HTTP. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer } | undefined;
  /** Whether a peer is welcome; of the others only a few may be connected at once. Absent: everyone is. */
  readonly admits?: ((remoteAddress: string | undefined) => boolean) | undefined;
  readonly limits?: Limits;
  readonly log: Logger;
  /** Told each error of a request that did not reach the handler. */
  readonly refused?: Refused | undefined;
}

type Refused = (code: ErrorCode) => void;

export interface RunningServer {
  readonly address: AddressInfo;
  /**
   * Answers new requests with `shutting-down`, which octez asks again, until those in flight are answered or
   * drainTimeout is over; then closes the port and every connection. Never rejects; may be called twice.
   */
  stop(): Promise<void>;
}

/**
 * Opens a port.
 * @throws Error that says why the address cannot be listened on
 */
export async function listen(parts: ServerParts): Promise<RunningServer> {
  const { handler, host, port, log, limits = LIMITS, refused = () => undefined } = parts;
  const server = create(parts, limits);
  const inFlight = new InFlight();
  const sockets = new Set<Socket>();
  let stopping: Promise<void> | undefined;

  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    if (stopping === undefined) inFlight.add(response, handler(request, response));
    else refuse(request, response, new SignerError("shutting-down", "a new one takes over"), refused);
  });
  // Ours, since Node's own list of connections leaves out those still in their TLS handshake.
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) => {
    refuse(request, response, new SignerError("malformed-request", "of Expect only 100-continue is known"), refused);
  });
  answerWhatIsNotHttp(server, inFlight, limits, refused);
  limitStrangers(server, parts.admits, limits);
  logDropped(server, log);

  await new Promise<void>((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => reject(cannotListen(host, port, error));
    server.once("error", failed);
    server.listen(port, host, () => {
      server.off("error", failed);
      server.on("error", (error) => log.error({ error: error.message }, "listening port"));
      resolve();
    });
  });

  return {
    address: server.address() as AddressInfo,
    stop() {
      stopping ??= drain(server, inFlight, sockets, parts);
      return stopping;
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
    requireHostHeader: false, // nothing here reads it, and Node's refusal is not of our form
  };
  const server =
    tls === undefined
      ? createServer(options)
      : createTlsServer({ ...options, ...tls, handshakeTimeout: limits.handshakeTimeout });
  server.maxConnections = limits.maxConnections;
  server.maxHeadersCount = limits.maxHeadersCount;
  return server;
}

/** Requests that the app has taken and not finished: neither answered, nor, where the client has gone, worked off. */
class InFlight {
  readonly #responses = new Set<ServerResponse>();
  #whenEmpty: () => void = () => undefined;

  get size(): number {
    return this.#responses.size;
  }

  add(response: ServerResponse, handled: Promise<unknown>): void {
    const { socket } = response.req;
    let gone: () => void = () => undefined;
    const closed = new Promise<void>((resolve) => {
      gone = resolve;
    });
    response.once("close", gone);
    // A pipelined answer that waits behind another one gets no `close` of its own when the client hangs up.
    socket.setMaxListeners(0).once("close", gone);
    this.#responses.add(response);
    void Promise.allSettled([handled, closed]).then(() => {
      socket.off("close", gone);
      this.#responses.delete(response);
      if (this.size === 0) this.#whenEmpty();
    });
  }

  /** Whether an answer is still to come on this connection to a request that has arrived completely. */
  awaitedOn(socket: Duplex): boolean {
    return [...this.#responses].some(({ req }) => req.socket === socket && req.complete);
  }

  /** No answer that is still to come keeps its connection open. */
  closeAfterwards(): void {
    for (const response of this.#responses) response.shouldKeepAlive = false;
  }

  empty(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenEmpty = resolve;
      if (this.size === 0) resolve();
    });
  }
}

/** Reads the request to its end first: a connection closed on unread bytes is reset, and the answer with it. */
function refuse(request: IncomingMessage, response: ServerResponse, error: SignerError, refused: Refused): void {
  refused(error.code);
  request.resume();
  request.once("end", () => writeError(response, error));
}

/** Answers what Node could not read as a request, unless that would look like the answer to an earlier one. */
function answerWhatIsNotHttp(server: Server, inFlight: InFlight, limits: Limits, refused: Refused): void {
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
    const refusal = refusalFor(error.code, limits);
    if (refusal !== undefined) refused(refusal.code);
    if (refusal === undefined || !socket.writable || inFlight.awaitedOn(socket)) socket.destroy();
    else socket.end(rawError(refusal), () => socket.destroy());
  });
}

function refusalFor(code: string | undefined, limits: Limits): SignerError | undefined {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    const { headersTimeout, requestTimeout } = limits;
    return new SignerError("request-timeout", `headers within ${headersTimeout} ms, all within ${requestTimeout} ms`);
  }
  if (code === "HPE_HEADER_OVERFLOW") {
    return new SignerError("headers-too-large", `they have at most ${limits.maxHeaderSize} bytes`);
  }
  // Anything else that is not the parser's is a broken connection or a failed handshake.
  return code?.startsWith("HPE_") ? new SignerError("malformed-request", "it is not HTTP/1.1") : undefined;
}

/** Strangers get their 403, but cannot take the connections that the others need. */
function limitStrangers(server: Server, admits: ServerParts["admits"], limits: Limits): void {
  let strangers = 0;
  const welcome = (socket: Socket): boolean => {
    try {
      return admits === undefined || admits(socket.remoteAddress);
    } catch {
      return false; // the app asks again for each request, and answers and logs the same exception
    }
  };
  server.on("connection", (socket: Socket) => {
    if (welcome(socket)) return;
    if (strangers >= limits.maxStrangers) {
      socket.destroy();
      return;
    }
    strangers += 1;
    socket.once("close", () => {
      strangers -= 1;
    });
  });
}

function logDropped(server: Server, log: Logger): void {
  const dropped = new SparseLog(log.warn.bind(log));
  server.on("drop", (peer) => {
    dropped.write({ client: plainAddress(peer?.remoteAddress) }, "connection refused: too many are open");
  });
}

async function drain(server: Server, inFlight: InFlight, sockets: Set<Socket>, parts: ServerParts): Promise<void> {
  const { log, limits = LIMITS } = parts;
  // The port stays open meanwhile: octez asks again after a 502, and gives up when nobody listens.
  inFlight.closeAfterwards();
  server.closeIdleConnections();
  await within(limits.drainTimeout, inFlight.empty());
  if (inFlight.size > 0) log.warn({ requests: inFlight.size }, "stopped before these were answered");
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  await within(limits.closeTimeout, closed);
  for (const socket of sockets) socket.destroy();
  await closed;
}

/** Waits for a promise that never rejects, but not longer than some milliseconds. */
async function within(timeout: number, promise: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeout);
  });
  await Promise.race([promise, late]);
  clearTimeout(timer);
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "the port is in use; stop the other program or choose another port",
  EADDRNOTAVAIL: "this computer has no such address",
  EACCES: "this user may not use the port; choose one above 1023",
};

function cannotListen(host: string, port: number, error: NodeJS.ErrnoException): Error {
  const reason = REASONS[error.code ?? ""] ?? error.message;
  return new Error(`cannot listen on ${host}, port ${port}: ${reason}`, { cause: error });
}
