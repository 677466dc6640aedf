import { once } from "node:events";
import { createServer as createProxy } from "node:http";
import { createServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { CertificateAuthority } from "./key-vault/certificates.ts";
import { type Identity, TENANT, type TokenAuthority } from "./key-vault/tokens.ts";

const HOST = "login.microsoftonline.com";

export interface EntraOptions {
  readonly tokens: TokenAuthority;
  /** The application, by its object id as a principal of the tenant. */
  readonly application: Identity;
  /** Its secret. */
  readonly secret: string;
}

/**
 * Entra ID as an application with a secret meets it (learn.microsoft.com, "OAuth 2.0 client credentials flow"), under its
 * own name: a proxy leads there, and nowhere else.
 */
export class Entra implements AsyncDisposable {
  readonly tenant = TENANT;
  /** The proxy by which a process reaches it (HTTPS_PROXY). */
  readonly proxy: string;
  /** PEM of the authority that the process has to trust. */
  readonly certificate: string;
  /** Statuses of its answers so far. */
  readonly answered: readonly number[];
  readonly #stop: () => Promise<void>;

  private constructor(proxy: string, certificate: string, answered: readonly number[], stop: () => Promise<void>) {
    this.proxy = proxy;
    this.certificate = certificate;
    this.answered = answered;
    this.#stop = stop;
  }

  static async start({ tokens, application, secret }: EntraOptions): Promise<Entra> {
    const authority = new CertificateAuthority();
    const answered: number[] = [];
    const server = createServer(authority.issue([HOST]), async (request, response) => {
      const asked = new URLSearchParams(await text(request));
      const [status, body] = answerTo(`${request.method} ${request.url}`, asked);
      answered.push(status);
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });

    function answerTo(route: string, asked: URLSearchParams): [status: number, body: object] {
      if (!route.startsWith(`POST /${TENANT}/oauth2/v2.0/token`)) return [404, { error: "not_found" }];
      if (asked.get("client_id") !== application.clientId) {
        return refusal(
          400,
          "unauthorized_client",
          `AADSTS700016: Application '${asked.get("client_id")}' was not found`,
        );
      }
      if (asked.get("client_secret") !== secret) {
        return refusal(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.");
      }
      const resource = /^(https:.*)\/\.default$/.exec(asked.get("scope") ?? "")?.[1];
      if (asked.get("grant_type") !== "client_credentials" || resource === undefined) {
        return refusal(400, "invalid_scope", "AADSTS1002012: The provided value for scope is not valid.");
      }
      const { token } = tokens.issue(application, resource, 3600);
      return [200, { token_type: "Bearer", expires_in: 3599, ext_expires_in: 3599, access_token: token }];
    }

    const proxy = createProxy();
    proxy.on("connect", ({ url }, socket) => {
      socket.on("error", () => undefined);
      if (url !== `${HOST}:443`) return void socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
      const { port } = server.address() as AddressInfo;
      const onward = connect(port, "127.0.0.1", () => socket.write("HTTP/1.1 200 Connection established\r\n\r\n"));
      onward.on("error", () => socket.destroy());
      onward.pipe(socket).pipe(onward);
    });
    for (const each of [server, proxy]) {
      each.listen(0, "127.0.0.1");
      await once(each, "listening");
    }
    return new Entra(
      `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
      authority.certificate,
      answered,
      async () => {
        for (const each of [proxy, server]) {
          each.close();
          each.closeAllConnections();
        }
        authority.close();
      },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
  }
}

function refusal(status: number, error: string, error_description: string): [number, object] {
  return [status, { error, error_description, error_codes: [Number(/\d+/.exec(error_description)?.[0])] }];
}
