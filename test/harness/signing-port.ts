import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { addressFilter } from "../../signer/admission/allowed-addresses.ts";
import type { ErrorCode } from "../../signer/errors.ts";
import { createApp } from "../../signer/http/app.ts";
import { LIMITS, type Limits } from "../../signer/http/limits.ts";
import { listen, type RunningServer } from "../../signer/http/server.ts";
import { Metrics } from "../../signer/observability/metrics.ts";
import { RecentActivity } from "../../signer/observability/recent-activity.ts";
import { AuditLog } from "../../signer/signing/audit-log.ts";
import type { RemoteSigner } from "../../signer/signing/remote-signer.ts";
import type { CurrentSettings, RequestSettings } from "../../signer/signing/request-context.ts";
import { logLines } from "./log-lines.ts";
import { requestSettings } from "./request-settings.ts";

export interface SigningPort {
  readonly url: string;
  readonly port: number;
  readonly server: RunningServer;
  /** What the port logged. */
  readonly lines: readonly Record<string, unknown>[];
  /** The codes of what never reached the signer. */
  readonly refused: readonly ErrorCode[];
}

export interface SigningPortOptions {
  /** What differs from requestSettings(); or settings that change. */
  readonly settings?: Partial<RequestSettings> | CurrentSettings;
  readonly limits?: Partial<Limits>;
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Default 127.0.0.1. */
  readonly host?: string;
}

/** The real app on the real server, on a free port, wired as main.ts does it. Limits are the real ones unless given. */
export async function openSigningPort(signer: RemoteSigner, options: SigningPortOptions = {}): Promise<SigningPort> {
  const { settings: own = {}, limits = {}, tls, host = "127.0.0.1" } = options;
  const { log, lines } = logLines();
  const settings: CurrentSettings = "current" in own ? own : { current: requestSettings(own) };
  const metrics = new NotedMetrics();
  const audit = new AuditLog({ logger: log, metrics, activity: new RecentActivity() });
  const server = await listen({
    handler: createApp({ signer, settings, audit, log }).callback(),
    audit,
    admits: addressFilter(settings),
    limits: { ...LIMITS, ...limits },
    host,
    port: 0,
    tls,
    log,
  });
  const { port } = server.address;
  const url = `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`;
  return { url, port, server, lines, refused: metrics.codes };
}

/** Metrics that keep the codes of what never reached a key's policy, in their order. */
class NotedMetrics extends Metrics {
  readonly codes: ErrorCode[] = [];

  override refused(code: ErrorCode): void {
    this.codes.push(code);
    super.refused(code);
  }
}

/**
 * Sends bytes as they are and gives back all that the server answers until it closes the connection.
 * @param pieces sent one after the other; a number waits so many milliseconds
 */
export async function exchange(port: number, ...pieces: (string | number)[]): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  const answer = readToEnd(socket);
  for (const piece of pieces) {
    if (typeof piece === "string") socket.write(piece);
    else await new Promise((resolve) => setTimeout(resolve, piece));
  }
  return answer;
}

/** A connection on which nothing was asked yet. @param localAddress which of this computer's addresses it comes from */
export async function idleConnection(port: number, localAddress = "127.0.0.1"): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

/** Everything that arrives on a socket until it is closed; a reset counts as the end. */
export function readToEnd(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      text += chunk;
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(text));
  });
}
