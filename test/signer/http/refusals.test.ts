import { connect } from "node:net";
import { expect } from "chai";
import { ERRORS, SignerError } from "../../../signer/errors.ts";
import { FakeSigner, testKey } from "../../harness/fake-signer.ts";
import { exchange, openSigningPort, readToEnd, type SigningPortOptions } from "../../harness/signing-port.ts";

const PAYLOAD = "11ff";

describe("requests that never reach the signer", () => {
  let signer: FakeSigner;
  beforeEach(async () => {
    signer = await FakeSigner.with(testKey("tz3").sk);
  });

  /** The codes that were counted while these requests were sent, each on a connection of its own. */
  async function counted(requests: readonly string[], options: SigningPortOptions = {}): Promise<readonly string[]> {
    const { port, server, refused } = await openSigningPort(signer, options);
    for (const request of requests) await exchange(port, request);
    await server.stop();
    return refused;
  }

  function request(line: string, body = "", headers = ""): string {
    return `${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;
  }

  it("are counted by their code, whether the app refused them or the server", async () => {
    const path = `/keys/${signer.address}`;
    expect(
      await counted([
        request("GET /other"),
        request("DELETE /authorized_keys"),
        request(`POST ${path}`, "no payload"),
        request(`POST ${path}`, `"${PAYLOAD}"`, "Origin: https://example.com\r\n"),
        request("GET /known_keys"),
        "hello\r\n\r\n",
        request("GET /authorized_keys", "", `X-Long: ${"a".repeat(9_000)}\r\n`),
        request(`POST ${path}`, `"${PAYLOAD}"`, "Expect: wonders\r\n"),
      ]),
    ).to.deep.equal([
      "unknown-path",
      "method-not-allowed",
      "malformed-request",
      "origin-not-allowed",
      "listing-not-allowed",
      "malformed-request",
      "headers-too-large",
      "malformed-request",
    ]);
    const settings = { allowedAddresses: ["203.0.113.7"] };
    expect(await counted([request("GET /authorized_keys")], { settings })).to.deep.equal(["address-not-allowed"]);
  });

  it("are counted once, though body, app and server all end by the same time-out", async () => {
    const whole = request(`POST /keys/${signer.address}`, `"${PAYLOAD}"`);
    const limits = { headersTimeout: 100, requestTimeout: 150, checkInterval: 20 };
    expect(await counted([whole.slice(0, -2)], { limits })).to.deep.equal(["request-timeout"]);
    const authentication = { keys: [testKey("tz2").pk] };
    expect(await counted([whole.slice(0, -2)], { limits, settings: { authentication } })).to.deep.equal([
      "authentication-missing",
    ]);
    const chunked = whole
      .replace(/Content-Length: \d+/, "Transfer-Encoding: chunked")
      .replace(/\r\n\r\n.*/, "\r\n\r\nzz\r\n");
    expect(await counted([chunked])).to.deep.equal(["malformed-request"]);
  });

  it("are counted and logged once where the request was answered before its body came too slowly", async () => {
    const limits = { headersTimeout: 100, requestTimeout: 150, checkInterval: 20 };
    const { port, server, refused, lines } = await openSigningPort(signer, {
      limits,
      settings: { listKnownKeys: true },
    });
    const answer = await exchange(port, "GET /known_keys HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n");
    await server.stop();
    expect([...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status)).to.deep.equal(["200", "408"]);
    expect(refused).to.deep.equal(["request-timeout"]);
    expect(lines.flatMap(({ code }) => code ?? [])).to.deep.equal(["request-timeout"]);
  });

  it("are counted and logged once, with the true reason, where the client ends in the middle of a request", async () => {
    const whole = request(`POST /keys/${signer.address}`, `"${PAYLOAD}"`);
    for (const [sent, part] of [
      [whole.slice(0, -2), "body"],
      [whole.slice(0, 30), "headers"],
    ] as const) {
      const { port, server, refused, lines } = await openSigningPort(signer);
      const socket = connect(port, "127.0.0.1");
      const answer = readToEnd(socket);
      socket.end(sent);
      await answer;
      await server.stop();
      expect(refused, part).to.deep.equal(["malformed-request"]);
      expect(lines.flatMap(({ code, reason }) => (code === undefined ? [] : [reason]))).to.deep.equal([
        `${ERRORS["malformed-request"].text}: the connection ended before the ${part} did`,
      ]);
    }
  });

  it("do not include what the signer refused, nor what it signed", async () => {
    const post = request(`POST /keys/${signer.address}`, `"${PAYLOAD}"`);
    expect(await counted([post])).to.deep.equal([]);
    signer.before = () => {
      throw new SignerError("request-not-allowed", "by the test");
    };
    expect(await counted([post])).to.deep.equal([]);
    expect(signer.asked).to.have.length(2);
  });
});
