import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import type { Pin } from "../../release/pin.ts";

/** A package as the registry has it. */
export interface Served extends Pin {
  readonly bytes: Buffer;
}

/** Packs files into a package's archive. @param files text by its path */
export async function archiveOf(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const tar = pack();
  for (const [name, text] of Object.entries(files)) tar.entry({ name, mtime: new Date(0) }, text);
  tar.finalize();
  return gzipSync(await buffer(tar as AsyncIterable<Buffer>));
}

/** Makes a package whose pin is that of its bytes. @param mark something that its bytes depend on */
export async function packageOf(name: string, version: string, mark = ""): Promise<Served> {
  const bytes = await archiveOf({
    "package/package.json": JSON.stringify({ name, version }),
    "package/index.js": `// ${mark}\n`,
  });
  return { name, version, bytes, integrity: integrityOf(bytes) };
}

export function integrityOf(bytes: Buffer): string {
  return `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
}

/** How a registry answers for one package otherwise than it should. */
export interface Lie {
  /** The document's `dist.tarball`. */
  readonly tarball?: string;
  /** The document's `dist.integrity`. */
  readonly integrity?: string;
  /** What is served as the archive. */
  readonly bytes?: Buffer;
  /** Answers in place of the registry, document and archive alike. */
  readonly answer?: (request: IncomingMessage, response: ServerResponse) => void;
}

/** A package registry on loopback, as npm asks it: a document a package, and its archive. */
export class Registry implements AsyncDisposable {
  readonly packages: Served[] = [];
  readonly lies = new Map<string, Lie>();
  /** Every path that was asked for. */
  readonly asked: string[] = [];
  readonly #server = createServer((request, response) => this.#answer(request, response));

  /** @param host an address of loopback, so that two registries are two hosts */
  static async start(host = "127.0.0.1"): Promise<Registry> {
    const registry = new Registry();
    await new Promise<void>((done) => registry.#server.listen(0, host, done));
    return registry;
  }

  get url(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `http://${address}:${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent(request.url ?? "");
    this.asked.push(path);
    const name = path.slice(1).split("/-/")[0] ?? "";
    const found = this.packages.filter((served) => served.name === name);
    const lie = this.lies.get(name) ?? {};
    const archive = found.find((served) => path === archivePath(served));
    if (lie.answer) {
      lie.answer(request, response);
    } else if (archive !== undefined) {
      response.end(lie.bytes ?? archive.bytes);
    } else if (found.length > 0 && path === `/${name}`) {
      const versions = found.map((served) => {
        const dist = {
          tarball: lie.tarball ?? this.url + archivePath(served),
          integrity: lie.integrity ?? served.integrity,
        };
        return [served.version, { name, version: served.version, dist }];
      });
      response.setHeader("content-type", "application/json");
      response.end(
        JSON.stringify({ name, "dist-tags": { latest: found[0]?.version }, versions: Object.fromEntries(versions) }),
      );
    } else {
      response.statusCode = 404;
      response.end("{}");
    }
  }
}

function archivePath({ name, version }: Pin): string {
  return `/${name}/-/${name.split("/").at(-1)}-${version}.tgz`;
}
