import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { ManagedIdentity } from "../../../signer/azure/managed-identity.ts";
import { rejection } from "../../harness/rejection.ts";

const SCOPE = "https://vault.azure.net/.default";

describe("a token of the managed identity", () => {
  let server: Server;
  let host: string;
  let answer: RequestListener;
  let asked: IncomingMessage[];

  beforeEach(async () => {
    asked = [];
    server = createServer((request, response) => {
      asked.push(request);
      answer(request, response);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });

  const says = (body: unknown, status = 200) => {
    answer = (_request, response) =>
      response.writeHead(status).end(typeof body === "string" ? body : JSON.stringify(body));
  };
  const query = () => Object.fromEntries(new URL(asked[0]?.url ?? "", host).searchParams);

  it("is asked for once, as the service wants it, for the resource of the scope and the identity that is named", async () => {
    says({ access_token: "a.b.c", expires_in: "3600" });
    const before = Date.now();
    const { token, expiresOnTimestamp } = await new ManagedIdentity("0b4d", host).getToken([SCOPE]);
    expect(token).to.equal("a.b.c");
    expect(expiresOnTimestamp).to.be.within(before + 3_600_000, Date.now() + 3_600_000);
    expect(asked).to.have.length(1);
    expect(asked[0]?.headers.metadata).to.equal("true");
    expect(asked[0]?.url).to.match(/^\/metadata\/identity\/oauth2\/token\?/);
    expect(query()).to.deep.equal({
      "api-version": "2018-02-01",
      resource: "https://vault.azure.net",
      client_id: "0b4d",
    });
  });

  it("is asked for without a name where the machine has one identity", async () => {
    says({ access_token: "a.b.c", expires_in: 3_600 });
    await new ManagedIdentity(undefined, host).getToken(SCOPE);
    expect(query()).not.to.have.property("client_id");
  });

  for (const [title, body, status, told] of [
    [
      "a refusal",
      { error: "invalid_request", error_description: "Identity not found" },
      400,
      "IMDS answered 400 (Identity not found)",
    ],
    ["a refusal in one word", { error: "busy" }, 429, "IMDS answered 429 (busy)"],
    ["a refusal without a word", "", 500, "IMDS answered 500 (no reason)"],
    [
      "a redirection, though a token is beside it",
      { access_token: "a.b.c", expires_in: 1 },
      302,
      "IMDS answered 302 (no reason)",
    ],
    ["an answer that is no JSON", "<html>a.b.c</html>", 200, "IMDS answered without a token"],
    ["JSON that is no object", "null", 200, "IMDS answered without a token"],
    ["no token", { expires_in: 3_600 }, 200, "IMDS answered without a token"],
    ["a token that is none", { access_token: 7, expires_in: 3_600 }, 200, "IMDS answered without a token"],
    ["a token without an end", { access_token: "a.b.c" }, 200, "IMDS answered without a token"],
    ["a token that has ended", { access_token: "a.b.c", expires_in: "0" }, 200, "IMDS answered without a token"],
    ["an endless answer", "a".repeat(200_000), 200, "it has more than 100000 characters"],
  ] as const) {
    it(`cannot be had from ${title}, and the message does not repeat the answer`, async () => {
      says(body, status);
      const { message } = await rejection(new ManagedIdentity(undefined, host).getToken(SCOPE), Error);
      expect(message).to.equal(told);
    });
  }

  it("is waited for until the caller's time is over", async () => {
    answer = () => {};
    const waiting = new ManagedIdentity(undefined, host).getToken(SCOPE, { abortSignal: AbortSignal.timeout(20) });
    expect((await rejection(waiting, Error)).name).to.equal("TimeoutError");
  });
});
