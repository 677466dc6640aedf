import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, request as requestHttps, type Server } from "node:https";
import type { Azurite } from "../support/azurite.ts";
import type { ServerCertificate } from "../support/key-vault/certificates.ts";
import type { TokenAuthority } from "../support/key-vault/tokens.ts";

const AUDIENCE = "https://storage.azure.com";

/** Azurite under a storage account's own name, with what Azurite lacks: tokens of this tenant, and a role. */
export class TableFront {
  /** Whether the machine's role on the account works yet: it takes minutes after it was assigned. */
  roleWorks = true;
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

  #answer(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const [, token = ""] = /^Bearer (.+)$/.exec(incoming.headers.authorization ?? "") ?? [];
    const claims = this.#tokens.check(token, AUDIENCE);
    if (typeof claims === "string" || !("oid" in claims)) refuse(outgoing, 401, "InvalidAuthenticationInfo");
    else if (!this.roleWorks) refuse(outgoing, 403, "AuthorizationPermissionMismatch");
    else this.#pass(incoming, outgoing);
  }

  #pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
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
      response.pipe(outgoing);
    });
    onward.on("error", () => incoming.socket.destroy());
    incoming.pipe(onward);
  }
}

function refuse(response: ServerResponse, status: number, code: string): void {
  const body = { "odata.error": { code, message: { lang: "en-US", value: code } } };
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}
