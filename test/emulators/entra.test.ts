import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { connect } from "node:tls";
import { expect } from "chai";
import { Entra } from "./entra.ts";
import { TokenAuthority } from "./key-vault/tokens.ts";

const APPLICATION = {
  clientId: "3c1e5c07-90a4-4dd7-8a51-6d0f5ac5a1b2",
  objectId: "e2a9d3f4-7b60-4c8e-a1d5-0f9b8c7d6e5f",
};
const HOST = "login.microsoftonline.com";
const SECRET = "sesame~1.secret-of-the-application";

describe("the Entra emulator", () => {
  const tokens = new TokenAuthority();
  let entra: Entra;

  beforeEach(async () => {
    entra = await Entra.start({ tokens, application: APPLICATION, secret: SECRET });
  });

  afterEach(() => entra[Symbol.asyncDispose]());

  /** Leads to a host by its proxy. */
  async function way(host: string): Promise<{ status: number | undefined; socket: Duplex }> {
    const { hostname, port } = new URL(entra.proxy);
    const asked = request({ hostname, port, method: "CONNECT", path: `${host}:443` }).end();
    const [{ statusCode }, socket] = (await once(asked, "connect")) as [IncomingMessage, Duplex];
    return { status: statusCode, socket };
  }

  /** Asks for a token as the protocol's page says it (OAuth 2.0 client credentials flow). */
  async function ask(clientId: string, secret: string) {
    const { socket } = await way(HOST);
    const form = { grant_type: "client_credentials", scope: "https://vault.azure.net/.default" };
    const body = new URLSearchParams({ ...form, client_id: clientId, client_secret: secret }).toString();
    const secured = connect({ socket, servername: HOST, ca: entra.certificate });
    const head = `POST /${entra.tenant}/oauth2/v2.0/token HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n`;
    secured.write(`${head}Content-Length: ${body.length}\r\n\r\n${body}`);
    const answer = await text(secured);
    return JSON.parse(answer.slice(answer.indexOf("{"), answer.lastIndexOf("}") + 1));
  }

  it("gives its application a token for the service that it asks for", async () => {
    const { access_token: token, token_type: type } = await ask(APPLICATION.clientId, SECRET);
    expect(type).to.equal("Bearer");
    expect(tokens.check(token, "https://vault.azure.net")).to.include({
      oid: APPLICATION.objectId,
      appid: APPLICATION.clientId,
    });
    expect(entra.answered).to.deep.equal([200]);
  });

  it("refuses another secret, and an application that it does not know, by Entra's codes", async () => {
    expect(await ask(APPLICATION.clientId, "another")).to.deep.include({ error_codes: [7_000_215] });
    expect(await ask(APPLICATION.objectId, SECRET)).to.deep.include({ error_codes: [700_016] });
    expect(entra.answered).to.deep.equal([401, 400]);
  });

  it("leads nowhere but to its own name", async () => {
    const { status, socket } = await way("example.org");
    socket.destroy();
    expect(status).to.equal(502);
  });
});
