import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";

/** What to do with one request instead of answering it. */
export type DownloadFault = "status-503" | "cut" | "altered";

interface Locked {
  readonly version: string;
  readonly integrity: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/**
 * nodejs.org, the npm registry and an apt archive without packages, as one HTTP server: it serves what supplies.ts
 * fetched, and fails where a test wants it to.
 */
export class Downloads {
  /** Faults to come, by the part that they hit, used up in order. */
  readonly faults: { readonly on: "node" | "package"; readonly fault: DownloadFault }[] = [];
  /** The registry names hashes of its own. */
  forge = false;
  readonly node: Buffer;
  readonly #npm: string;
  readonly #packages: ReadonlyMap<string, readonly Locked[]>;
  readonly #server: Server;
  #url = "";

  /**
   * @param supplies the folder that supplies.ts made
   * @param lock the checkout's package-lock.json
   */
  constructor(supplies: string, lock: string) {
    this.node = readFileSync(join(supplies, "node.tar.xz"));
    this.#npm = join(supplies, "npm/_cacache/content-v2");
    const entries = Object.entries(JSON.parse(lock).packages as Record<string, Locked>);
    const packages = new Map<string, Locked[]>();
    for (const [path, entry] of entries) {
      const name = path.split("node_modules/").at(-1) ?? "";
      packages.set(name, [...(packages.get(name) ?? []), entry]);
    }
    this.#packages = packages;
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  get url(): string {
    return this.#url;
  }

  get nodeSha256(): string {
    return createHash("sha256").update(this.node).digest("hex");
  }

  async listen(host: string, port: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject).listen(port, host, resolve);
    await promise;
    this.#url = `http://${host}:${port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent(new URL(request.url ?? "/", this.#url).pathname);
    if (path.startsWith("/dist/")) this.#send("node", response, this.node);
    else if (path.startsWith("/tarball/")) this.#send("package", response, this.#tarball(path.slice(9)));
    else {
      const text = path === "/apt/Packages" ? "" : this.#document(path);
      response.writeHead(text === undefined ? 404 : 200).end(text);
    }
  }

  #send(part: "node" | "package", response: ServerResponse, body: Buffer): void {
    const index = this.faults.findIndex(({ on }) => on === part);
    const fault = index === -1 ? undefined : this.faults.splice(index, 1)[0]?.fault;
    if (fault === "status-503") {
      response.writeHead(503).end();
      return;
    }
    response.setHeader("Content-Length", body.length);
    if (fault === "cut") response.write(body.subarray(0, body.length >> 1), () => response.destroy());
    else if (fault === "altered") response.end(Buffer.concat([body.subarray(0, -1), Buffer.of(0x5a)]));
    else response.end(body);
  }

  /** The registry's document of one version of a package: its tarball and hash. */
  #document(path: string): string | undefined {
    const [, name = "", version] = /^\/npm\/(.+)\/([^/]+)$/.exec(path) ?? [];
    const locked = this.#packages.get(name)?.find((entry) => entry.version === version);
    if (locked === undefined) return undefined;
    const { dependencies } = locked;
    const integrity = this.forge ? `sha512-${Buffer.alloc(64).toString("base64")}` : locked.integrity;
    const tarball = `${this.#url}/tarball/${Buffer.from(integrity).toString("base64url")}`;
    return JSON.stringify({ name, version, dependencies, dist: { tarball, integrity } });
  }

  #tarball(id: string): Buffer {
    const integrity = Buffer.from(id, "base64url").toString();
    const hex = Buffer.from(integrity.replace("sha512-", ""), "base64").toString("hex");
    return readFileSync(join(this.#npm, "sha512", hex.slice(0, 2), hex.slice(2, 4), hex.slice(4)));
  }
}
