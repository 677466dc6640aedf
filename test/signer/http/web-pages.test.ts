import { expect } from "chai";
import { createAdminApp } from "../../../signer/http/admin.ts";
import { listen, type RunningServer } from "../../../signer/http/server.ts";
import { FakeSigner, testKey } from "../../harness/fake-signer.ts";
import { logLines } from "../../harness/log-lines.ts";
import { exchange, openSigningPort, type SigningPort } from "../../harness/signing-port.ts";

type Headers = Readonly<Record<string, string>>;

/** Sends a request with these headers and no others. @returns status and body */
async function ask(port: number, line: string, headers: Headers, body = ""): Promise<[number, string]> {
  const all = { ...headers, ...(body && { "Content-Length": `${body.length}` }), Connection: "close" };
  const text = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const answer = await exchange(port, `${line}\r\n${text.join("")}\r\n${body}`);
  return [Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]), answer.slice(answer.indexOf("\r\n\r\n") + 4)];
}

describe("a web page, at the admin port", () => {
  let server: RunningServer;
  const { log } = logLines();
  const admin = {
    ready: () => ({ ready: true, reasons: [] }),
    status: () => ({ keys: ["tz3"] }),
    metrics: async () => "",
    page: async () => ({ html: "tz3", policy: "default-src 'none'" }),
  };
  before(async () => {
    const handler = createAdminApp(admin, log, ["Signer.example.org"]).callback();
    server = await listen({ handler, host: "127.0.0.1", port: 0, log });
  });
  after(() => server.stop());
  const status = (headers: Headers, version = "1.1") =>
    ask(server.address.port, `GET /status HTTP/${version}`, headers);
  const page = (headers: Headers) => ask(server.address.port, "GET / HTTP/1.1", headers);

  for (const host of [
    "127.0.0.1:9583",
    "10.0.0.5",
    "[::1]:9583",
    "[fe80::1%25eth0]:9583",
    "[fe80::1%eth0]",
    "LOCALHOST:80",
    "localhost.",
    "signer.example.org:9583",
  ]) {
    it(`is none where Host is ${host}`, async () => {
      expect(await status({ Host: host })).to.deep.equal([200, '{"keys":["tz3"]}']);
    });
  }

  for (const host of [
    "rebound.example.com:9583",
    "127.0.0.1.example.com",
    "localhost.example.com",
    "example.org",
    "[signer.example.org]",
    "[::1",
    "::1",
    "signer.example.org@evil.example",
    "",
  ]) {
    it(`reads nothing where Host is ${host || "empty"}: 421, in words`, async () => {
      const [code, text] = await status({ Host: host });
      expect(code).to.equal(421);
      expect(text).to.include("name the host in admin.names").and.not.include("tz3");
      expect((await page({ Host: host }))[0]).to.equal(421);
    });
  }

  for (const [title, headers] of [
    ["X-Forwarded-Host", { "X-Forwarded-Host": "rebound.example.com" }],
    ["X-Forwarded-Host of several proxies", { "X-Forwarded-Host": "rebound.example.com, signer.example.org" }],
    ["Forwarded", { Forwarded: "for=192.0.2.1;Host=rebound.example.com;proto=http" }],
    ["Forwarded in quotes", { Forwarded: 'host="signer.example.org", for=x; host="rebound.example.com:80"' }],
  ] as const) {
    it(`reads nothing where a proxy asks by a name that is listed, and says in ${title} that its own was another`, async () => {
      expect((await status({ Host: "signer.example.org", ...headers }))[0]).to.equal(421);
    });
  }

  it("is none where a proxy says that it was asked by a name that is listed, or by an address", async () => {
    for (const headers of [
      { "X-Forwarded-Host": "signer.example.org:443, 10.0.0.5" },
      { Forwarded: 'for="[2001:db8::1]";host=signer.example.org;proto=https, host="[::1]:9583"' },
      { Forwarded: "for=192.0.2.1" },
      { "X-Forwarded-Host": "" },
    ]) {
      expect((await status({ Host: "127.0.0.1", ...headers }))[0], JSON.stringify(headers)).to.equal(200);
    }
  });

  it("has a Host in HTTP/1.1, which HTTP/1.0 need not have", async () => {
    expect((await status({}))[0]).to.equal(421);
    expect((await status({}, "1.0"))[0]).to.equal(200);
    expect((await status({ Host: "rebound.example.com" }, "1.0"))[0]).to.equal(421);
  });

  it("is refused where it is another site's, and counts as none where it came from here or a person typed it", async () => {
    const Host = "127.0.0.1:9583";
    for (const [headers, code] of [
      [{ "Sec-Fetch-Site": "cross-site" }, 403],
      [{ "Sec-Fetch-Site": "same-site" }, 403],
      [{ "Sec-Fetch-Site": "none" }, 200],
      [{ "Sec-Fetch-Site": "same-origin" }, 200],
      [{ Origin: "https://example.com" }, 403],
      [{ Origin: "http://127.0.0.1:9584" }, 403],
      [{ Origin: "null" }, 403],
      [{ Origin: "http://127.0.0.1:9583" }, 200],
    ] as const) {
      expect((await status({ Host, ...headers }))[0], JSON.stringify(headers)).to.equal(code);
      expect((await page({ Host, ...headers }))[0], `the page, ${JSON.stringify(headers)}`).to.equal(code);
    }
  });
});

describe("a web page, at the signing port", () => {
  let signer: FakeSigner;
  let port: SigningPort;
  before(async () => {
    signer = await FakeSigner.with(testKey("tz3").sk);
    port = await openSigningPort(signer);
  });
  after(() => port.server.stop());
  const JSON_BODY = { "Content-Type": "application/json" };
  const post = (headers: Headers) =>
    ask(port.port, `POST /keys/${signer.address} HTTP/1.1`, { Host: "signer.example.org", ...headers }, '"11ff"');

  for (const [title, headers] of [
    ["with its Origin", { Origin: "https://example.com", ...JSON_BODY }],
    [
      "with an Origin that is this port's own, as a rebound page has",
      { Origin: "http://signer.example.org", ...JSON_BODY },
    ],
    ["without Origin, of another site", { "Sec-Fetch-Site": "cross-site", ...JSON_BODY }],
    ["without Origin, of a neighbouring site", { "Sec-Fetch-Site": "same-site", ...JSON_BODY }],
    ["without Origin, as a rebound page is", { "Sec-Fetch-Site": "same-origin", ...JSON_BODY }],
    ["with a text alone", { "Content-Type": "text/plain;charset=UTF-8" }],
    ["with a form", { "Content-Type": "Application/X-WWW-Form-Urlencoded" }],
    ["with a form of parts", { "Content-Type": "multipart/form-data; boundary=x" }],
    ["with a body of no type, as a browser", { "User-Agent": "Mozilla/5.0 (X11; Linux x86_64)" }],
    [
      "with JSON, as a rebound page's is whose proxy takes Origin away",
      { "User-Agent": "Mozilla/5.0 (X11; Linux x86_64)", ...JSON_BODY },
    ],
  ] as const) {
    it(`gets no signature ${title}`, async () => {
      const [code, text] = await post(headers);
      expect(code).to.equal(403);
      expect(text).to.include("Web pages may not ask this signer");
      expect(signer.asked).to.deep.equal([]);
    });
  }

  it("reads nothing by a GET that Sec-Fetch-Site says is a page's", async () => {
    const get = (headers: Headers) => ask(port.port, `GET /keys/${signer.address} HTTP/1.1`, { Host: "x", ...headers });
    expect((await get({ "Sec-Fetch-Site": "cross-site" }))[0]).to.equal(403);
    expect((await get({ "Sec-Fetch-Site": "none" }))[0]).to.equal(200);
  });

  it("is no client that says JSON, or nothing of its body's type, whatever name it knows the signer by", async () => {
    for (const headers of [JSON_BODY, { "Content-Type": "application/json; charset=utf-8" }, {}]) {
      expect((await post(headers))[0]).to.equal(200);
    }
  });
});
