import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import type { CertificateAuthority } from "../test/emulators/key-vault/certificates.ts";
import { type Identity, type TokenAuthority, VAULT_AUDIENCE } from "../test/emulators/key-vault/tokens.ts";

/** Where Signatory's Azure driver asks for tokens; the address is not among its settings. */
const HOST = "login.microsoftonline.com";
/** Seconds that a token lives. */
const LIFETIME = 86_400;

/**
 * Starts a proxy that leads each CONNECT to a stand-in for Microsoft's login, which answers with a token of an identity's.
 * @returns the proxy's URL
 */
export async function startLogin(
  authority: CertificateAuthority,
  tokens: TokenAuthority,
  identity: Identity,
): Promise<string> {
  const login = createTlsServer(authority.issue([HOST]), (request, response) => {
    request.resume();
    const { token } = tokens.issue(identity, VAULT_AUDIENCE, LIFETIME);
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ token_type: "Bearer", expires_in: LIFETIME, access_token: token }));
  });
  const port = await listen(login);
  const proxy = createServer();
  proxy.on("connect", (_request, client) => {
    const onward = connect(port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      client.pipe(onward).pipe(client);
    });
    for (const side of [client, onward]) {
      side.on("error", () => {
        client.destroy();
        onward.destroy();
      });
    }
  });
  return `http://127.0.0.1:${await listen(proxy)}`;
}

async function listen(server: Server): Promise<number> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  return (server.address() as AddressInfo).port;
}
