import { once } from "node:events";
import type { Server } from "node:http";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/** A listening HTTP or HTTPS server whose connections can be counted, cut, and refused in the handshake. */
export class Connections {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly #served = new WeakMap<Socket, number>();
  /** How many of the next connections are cut before TLS or HTTP begins. */
  cutNext = 0;
  /** Connections accepted so far. */
  accepted = 0;

  constructor(server: Server) {
    this.#server = server;
    server.keepAliveTimeout = 120_000;
    server.prependListener("connection", (socket: Socket) => {
      this.accepted += 1;
      this.#open.add(socket);
      socket.once("close", () => this.#open.delete(socket));
      socket.on("error", () => {}); // cutting a connection is this emulator's trade
      if (this.cutNext > 0) {
        this.cutNext -= 1;
        socket.destroy();
      }
    });
    server.on("tlsClientError", () => {}); // the client refuses the certificate: a test wants it so
  }

  /** Connections open now. */
  get open(): number {
    return this.#open.size;
  }

  /** Counts a request on its connection. @returns whether the connection had carried one before */
  reused(socket: Socket): boolean {
    const served = this.#served.get(socket) ?? 0;
    this.#served.set(socket, served + 1);
    return served > 0;
  }

  /** Answers with an RST. */
  reset(socket: Socket): void {
    // A TLS socket has no RST of its own; the connection below it has.
    const below = socket instanceof TLSSocket ? (Reflect.get(socket, "_parent") as Socket | undefined) : undefined;
    (below ?? socket).resetAndDestroy();
  }

  cutAll(): void {
    for (const socket of this.#open) socket.destroy();
  }

  /** @returns the port */
  async listen(port: number, host: string): Promise<number> {
    await once(this.#server.listen(port, host), "listening");
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : port;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.cutAll();
    });
  }
}
