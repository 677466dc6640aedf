import type { Server } from "node:http";
import { Server as NetServer, type Socket } from "node:net";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { settledWithin } from "../deadline.ts";
import type { InFlight } from "./in-flight.ts";
import type { Limits } from "./limits.ts";

/** A server that stops, with all that is still open. */
interface Stopping {
  readonly server: Server;
  readonly inFlight: InFlight;
  /** Every connection, those in their TLS handshake included. */
  readonly sockets: ReadonlySet<Socket>;
  /** Those on which requests can come. */
  readonly connections: ReadonlySet<Socket>;
  readonly limits: Limits;
  readonly log: Logger;
}

/** Returns the connections of a server that are open now. @param event that tells of a new one */
export function openOf(server: Server, event: "connection" | "secureConnection"): ReadonlySet<Socket> {
  const open = new Set<Socket>();
  server.on(event, (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  return open;
}

/** Stops a server as RunningServer.stop promises. */
export async function drain({ server, inFlight, sockets, connections, limits, log }: Stopping): Promise<void> {
  inFlight.closeAfterwards();
  // Not http.Server's own close: it ends kept connections at once, and the request that is on its way with them.
  const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()));
  let isDone = false;
  const done = Promise.all([closed, inFlight.empty()]).then(() => {
    isDone = true;
  });
  const over = performance.now() + limits.drainTimeout;
  let received = receivedBy(connections);
  while (!isDone && (connections.size > 0 || inFlight.size > 0)) {
    const patience = Math.min(limits.quietTimeout, over - performance.now());
    if (patience <= 0) break;
    await settledWithin(done, patience);
    await setImmediate(); // what has arrived is read before it is judged that nothing came
    for (const socket of connections) {
      if (!inFlight.on(socket) && socket.bytesRead === received.get(socket)) socket.destroy();
    }
    received = receivedBy(connections);
  }
  if (inFlight.size > 0) log.warn({ requests: inFlight.size }, "stopped before these were answered");
  await settledWithin(closed, limits.closeTimeout);
  for (const socket of sockets) socket.destroy();
  await closed;
  server.close(); // ends Node's timer for late requests
}

/** Closes connections as RunningServer.closeQuiet promises. */
export async function closeQuiet({
  inFlight,
  connections,
  limits,
}: Pick<Stopping, "inFlight" | "connections" | "limits">): Promise<void> {
  const received = receivedBy(connections);
  await sleep(limits.quietTimeout);
  await setImmediate(); // what has arrived is read before it is judged that nothing came
  for (const socket of connections) {
    if (!inFlight.on(socket) && socket.bytesRead === received.get(socket)) socket.destroy();
  }
}

/** How many bytes have come on each connection. */
function receivedBy(connections: ReadonlySet<Socket>): ReadonlyMap<Socket, number> {
  return new Map([...connections].map((socket) => [socket, socket.bytesRead]));
}
