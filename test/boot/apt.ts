import { createServer, type Server } from "node:http";

/** Ubuntu's mirror without a package, and a witness: whatever else is asked for is noted. */
export class Apt {
  /** Paths that no mirror has. */
  readonly strange: string[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const path = new URL(request.url ?? "/", "http://apt").pathname;
      if (!path.startsWith("/apt/")) this.strange.push(path);
      const found = path === "/apt/Packages";
      response.writeHead(found ? 200 : 404).end();
    });
  }

  async listen(host: string, port: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject).listen(port, host, resolve);
    await promise;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
