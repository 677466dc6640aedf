import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, request as requestHttps, type Server } from "node:https";
import { type Azurite, tableCredential } from "../emulators/azurite.ts";
import type { ServerCertificate } from "../emulators/key-vault/certificates.ts";
import type { TokenAuthority } from "../emulators/key-vault/tokens.ts";

/** Bytes of one block of an upload. */
const BLOCK = 4 * 2 ** 20;
const AUDIENCE = "https://storage.azure.com";

/** What becomes of a request instead of its answer. */
export type StorageFault = "status-503" | "cut" | "altered" | "reset";

/** Azurite under a storage account's own name, with what Azurite lacks: tokens of this tenant, a role, and faults. */
export class StorageFront {
  /** Whether the machine's role on the account works yet: it takes minutes after it was assigned. */
  roleWorks = true;
  /** Whether the account is reached at all; otherwise each connection is reset. */
  away = false;
  /** Faults to come, used up in order. */
  readonly faults: StorageFault[] = [];
  /** Requests so far. */
  calls = 0;
  /** Told each request as it comes, before anything becomes of it. */
  onRequest: (request: IncomingMessage) => void = () => undefined;
  readonly #server: Server;
  readonly #azurite: Azurite;
  readonly #tokens: TokenAuthority;

  constructor(azurite: Azurite, certificate: ServerCertificate, tokens: TokenAuthority) {
    this.#azurite = azurite;
    this.#tokens = tokens;
    this.#server = createServer(certificate, (request, response) => this.#answer(request, response));
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

  /** Puts a blob into the account in blocks, as the stack's provider does. @param container made where it is not there */
  async upload(container: string, name: string, content: Uint8Array): Promise<void> {
    const url = `${this.#azurite.endpoint}/${container}`;
    await this.#send("PUT", `${url}?restype=container`, undefined, [201, 409]);
    const ids: string[] = [];
    for (let at = 0; at < content.length; at += BLOCK) {
      const id = Buffer.from(String(at).padStart(12, "0")).toString("base64");
      await this.#send(
        "PUT",
        `${url}/${name}?comp=block&blockid=${encodeURIComponent(id)}`,
        content.subarray(at, at + BLOCK),
        [201],
      );
      ids.push(id);
    }
    const list = `<?xml version="1.0" encoding="utf-8"?><BlockList>${ids.map((id) => `<Latest>${id}</Latest>`).join("")}</BlockList>`;
    await this.#send("PUT", `${url}/${name}?comp=blocklist`, Buffer.from(list), [201]);
  }

  /** Takes a blob away. */
  async remove(container: string, name: string): Promise<void> {
    await this.#send("DELETE", `${this.#azurite.endpoint}/${container}/${name}`, undefined, [202, 404]);
  }

  async #send(method: string, url: string, body: Uint8Array | undefined, expected: readonly number[]): Promise<void> {
    const token = await tableCredential.getToken(AUDIENCE);
    const headers = {
      Authorization: `Bearer ${token?.token}`,
      "x-ms-version": "2021-12-02",
    };
    const answer = await fetch(url, { method, headers, body: body === undefined ? null : Buffer.from(body) });
    if (!expected.includes(answer.status)) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
  }

  #answer(incoming: IncomingMessage, outgoing: ServerResponse): void {
    this.calls += 1;
    this.onRequest(incoming);
    const fault = this.away ? "reset" : this.faults.shift();
    const [, token = ""] = /^Bearer (.+)$/.exec(incoming.headers.authorization ?? "") ?? [];
    const claims = this.#tokens.check(token, AUDIENCE);
    if (fault === "reset") incoming.socket.destroy();
    else if (typeof claims === "string" || !("oid" in claims)) refuse(outgoing, 401, "InvalidAuthenticationInfo");
    else if (!this.roleWorks) refuse(outgoing, 403, "AuthorizationPermissionMismatch");
    else if (fault === "status-503") refuse(outgoing, 503, "ServerBusy");
    else this.#pass(incoming, outgoing, fault);
  }

  #pass(incoming: IncomingMessage, outgoing: ServerResponse, fault: "cut" | "altered" | undefined): void {
    const onward = requestHttps({
      host: "127.0.0.1",
      port: this.#azurite.port,
      ca: this.#azurite.ca,
      method: incoming.method,
      path: `/devstoreaccount1${incoming.url}`,
      headers: { ...incoming.headers, host: `127.0.0.1:${this.#azurite.port}` },
    });
    onward.on("response", (response) => {
      outgoing.writeHead(response.statusCode ?? 0, response.headers);
      if (fault === "cut") response.once("data", (chunk) => outgoing.write(chunk, () => incoming.socket.destroy()));
      else if (fault === "altered")
        response.on("data", (chunk: Buffer) => outgoing.write(flipped(chunk))).on("end", () => outgoing.end());
      else response.pipe(outgoing);
    });
    onward.on("error", () => incoming.socket.destroy());
    incoming.pipe(onward);
  }
}

function flipped(chunk: Buffer): Buffer {
  const other = Buffer.from(chunk);
  other[0] = (other[0] ?? 0) ^ 1;
  return other;
}

/** An account's refusal: the table's form, and the blob's, each as far as its clients read it. */
function refuse(response: ServerResponse, status: number, code: string): void {
  if (response.req.url?.startsWith("/releases/")) {
    const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
    response.writeHead(status, { "Content-Type": "application/xml", "x-ms-error-code": code }).end(body);
    return;
  }
  const body = { "odata.error": { code, message: { lang: "en-US", value: code } } };
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}
